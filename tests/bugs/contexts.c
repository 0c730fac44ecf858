// SPDX-License-Identifier: MIT
//
// Rights of somebody else: another thread, a handler, another CPU.
#include "bug.h"

// The last CPU there is: another one, if there are two.
static unsigned other_cpu(void)
{
    return cpus_online() - 1;
}

static NOINLINE void count_interrupt(void *counter)
{
    ++*(word_t *)counter; // guilty: handler_uses_the_threads_bracket
}

BUG(handler_uses_the_threads_bracket)
{
    struct page *page = alloc_page(domain_ram);
    void *counter = kmap_local_page(page);
    cpu_call(cpu_id(), count_interrupt, counter);
    kunmap_local(counter);
    free_page(page);
}

static NOINLINE void count_nmi(void *counter)
{
    ++*(word_t *)counter; // guilty: nmi_uses_the_threads_bracket
}

BUG(nmi_uses_the_threads_bracket)
{
    struct page *page = alloc_page(domain_ram);
    void *counter = kmap_local_page(page);
    cpu_nmi(cpu_id(), count_nmi, counter);
    kunmap_local(counter);
    free_page(page);
}

static NOINLINE void count_elsewhere(void *counter)
{
    ++*(word_t *)counter; // guilty: handler_on_another_cpu
}

FATAL_BUG(handler_on_another_cpu)
{
    struct page *page = alloc_page(domain_ram);
    void *counter = kmap_local_page(page);
    cpu_call(other_cpu(), count_elsewhere, counter);
    kunmap_local(counter);
    free_page(page);
}

static NOINLINE void open_and_forget(void *page)
{
    word_t *word = kmap_local_page(page); // guilty: handler_leaks_a_bracket
    ++*word;
}

BUG(handler_leaks_a_bracket)
{
    struct page *page = alloc_page(domain_ram);
    cpu_call(cpu_id(), open_and_forget, page);
    free_page(page);
}

static NOINLINE int use_anothers(void *word)
{
    *(word_t *)word = 1; // guilty: thread_uses_anothers_bracket
    return 0;
}

BUG(thread_uses_anothers_bracket)
{
    struct page *page = alloc_page(domain_ram);
    void *word = kmap_local_page(page);
    thread_join(thread_create("another", use_anothers, word));
    kunmap_local(word);
    free_page(page);
}

static NOINLINE int close_anothers(void *address)
{
    kunmap_local(address); // guilty: unmap_by_another_thread
    return 0;
}

BUG(unmap_by_another_thread)
{
    struct page *page = alloc_page(domain_ram);
    void *address = kmap_local_page(page);
    thread_join(thread_create("another", close_anothers, address));
    kunmap_local(address);
    free_page(page);
}

static NOINLINE int open_and_end(void *page)
{
    word_t *word =
        kmap_local_page(page); // guilty: thread_ends_with_a_bracket_open
    *word = 1;
    return 0;
}

BUG(thread_ends_with_a_bracket_open)
{
    struct page *page = alloc_page(domain_ram);
    thread_join(thread_create("another", open_and_end, page));
    free_page(page);
}

// ------------------------------------------------------------- What others
// keep

static void read_word(void *word)
{
    (void)*(word_t *)word;
}

static NOINLINE int use_after_kunmap(void *word)
{
    thread_pin(other_cpu());
    *(word_t *)word = 1; // guilty: write_after_kunmap_on_another_cpu
    return 0;
}

BUG(write_after_kunmap_on_another_cpu)
{
    struct page *page = alloc_page(domain_ram);
    void *word = kmap(page);
    cpu_call(other_cpu(), read_word, word); // its TLB knows it now
    kunmap(page);
    thread_join(thread_create("another", use_after_kunmap, word));
    free_page(page);
}

// ----------------------------------------------------------------- Their
// stacks

static NOINLINE unsigned sum_from(unsigned n)      // guilty: stack_overflow
{                                                  // guilty: stack_overflow
    volatile unsigned here = n;                    // guilty: stack_overflow
    return here == 0 ? 0 : here + sum_from(n + 1); // guilty: stack_overflow
}

FATAL_BUG(stack_overflow)
{
    printf("%u\n", sum_from(1));
}
