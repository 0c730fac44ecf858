// SPDX-License-Identifier: MIT
//
// What each engine catches: bugs, planted one by one, that a kernel with a
// direct map has. Each test says on the console how the bug was caught, or that
// it was not; `make report` makes a table of that. It fails where the contract
// has the bug caught by the engine that runs and it is not.
#include "arch/cpu.h"
#include "kernel/fault.h"
#include "kernel/misuse.h"
#include "keyhole.h"

#define LETS_PASS(engine) (1u << (engine))
#define OPEN LETS_PASS(PROTECT_OPEN)
// The grain of a domain, as keys have it, or of leaves that are present.
#define SHARED (OPEN | LETS_PASS(PROTECT_FLIP)) // what one has open all have
#define COARSE (OPEN | LETS_PASS(PROTECT_PKS) | LETS_PASS(PROTECT_FLIP))

static struct {
    bool caught;
    struct fault fault;
} now;

// Do it, and note how it ended. Any context.
static void plant(void (*bug)(void *arg), void *arg)
{
    now.caught = !run_protected(bug, arg, &now.fault);
}

// Say how the bug was caught; false if it was not and should have been.
static bool is_caught(unsigned may_pass)
{
    if (!now.caught) {
        printf("# not caught\n");
        return may_pass >> protect_engine() & 1;
    }
    if (now.fault.kind == FAULT_OTHER) {
        printf("# caught: misuse, %s\n", misuse_last()->what);
    } else {
        printf("# caught: %s\n", fault_kind_name(now.fault.kind));
    }
    return true;
}

static void write_word(void *address)
{
    *(volatile uint64_t *)address = 1;
}

// --------------------------------------------------------- Pointers that stray

TEST(escape, write_by_a_guessed_address)
{
    struct page *page = alloc_page(domain_ram);
    plant(write_word, page_direct_map_address(page));
    CHECK(is_caught(OPEN));
    free_page(page);
}

TEST(escape, write_after_unmap)
{
    struct page *page = alloc_page(domain_ram);
    void *address = kmap_local_page(page);
    kunmap_local(address);
    plant(write_word, address);
    CHECK(is_caught(OPEN));
    free_page(page);
}

TEST(escape, write_to_a_free_frame)
{
    struct page *page = alloc_page(domain_ram);
    uint64_t *address = page_direct_map_address(page);
    free_page(page);
    plant(write_word, address + 1);
    bool good = is_caught(OPEN);
    if (!now.caught) {
        *(address + 1) = *(address + 2); // the poison, for whoever gets it
    }
    CHECK(good);
}

TEST(escape, write_to_another_domain)
{
    struct domain *domain = domain_create("another");
    struct page *mine = alloc_page(domain_ram), *other = alloc_page(domain);
    const void *address = kmap_local_page(mine);
    plant(write_word, page_direct_map_address(other));
    kunmap_local(address);
    CHECK(is_caught(OPEN));
    free_page(mine);
    free_page(other);
    CHECK_EQ(domain_destroy(domain), 0);
}

TEST(escape, write_past_the_end_of_the_frame)
{
    struct page *pages = alloc_pages(domain_ram, 1);
    char *address = kmap_local_page(pages);
    plant(write_word, address + PAGE_SIZE);
    kunmap_local(address);
    CHECK(is_caught(COARSE));
    free_pages(pages, 1);
}

TEST(escape, write_past_the_end_of_a_range)
{
    struct page *pages = alloc_pages(domain_ram, 2);
    char *address = kmap_local_range(pages, 0, 3 * PAGE_SIZE);
    plant(write_word, address + 3 * PAGE_SIZE);
    kunmap_local(address);
    CHECK(is_caught(COARSE));
    free_pages(pages, 2);
}

TEST(escape, write_past_the_end_of_a_list)
{
    struct page *page = alloc_page(domain_ram);
    struct page *const pages[] = {page, page};
    char *address = kmap_local_pages(pages, 2);
    plant(write_word, address + 2 * PAGE_SIZE);
    kunmap_local(address);
    CHECK(is_caught(OPEN));
    free_page(page);
}

TEST(escape, write_through_a_bracket_to_read)
{
    struct page *page = alloc_page(domain_ram);
    const void *address = kmap_local_page_ro(page);
    plant(write_word, (void *)address);
    kunmap_local(address);
    CHECK(is_caught(OPEN));
    free_page(page);
}

static void call_function(void *address)
{
    ((void (*)(void))address)();
}

TEST(escape, execute_data)
{
    struct page *page = alloc_page(domain_ram);
    uint8_t *address = kmap_local_page(page);
    *address = 0xc3; // RET
    plant(call_function, address);
    kunmap_local(address);
    CHECK(is_caught(0));
    free_page(page);
}

TEST(escape, write_to_a_page_table)
{
    struct page *root = phys_to_page(cpu_read_cr3() & ~(PAGE_SIZE - 1));
    uint64_t *unused = (uint64_t *)page_direct_map_address(root) + 2;
    plant(write_word, unused);
    bool good = is_caught(OPEN);
    if (!now.caught) {
        *unused = 0;
    }
    CHECK(good);
}

TEST(escape, write_through_a_null_pointer)
{
    plant(write_word, (void *)8);
    CHECK(is_caught(0));
}

TEST(escape, write_past_the_end_of_a_large_object)
{
    char *object = kmalloc(4 * PAGE_SIZE);
    plant(write_word, object + 4 * PAGE_SIZE);
    CHECK(is_caught(0));
    kfree(object);
}

// ------------------------------------------------------------- Who else is
// there

static void in_handler(void *address)
{
    plant(write_word, address);
}

TEST(escape, handler_uses_the_threads_bracket)
{
    struct page *page = alloc_page(domain_ram);
    void *address = kmap_local_page(page);
    cpu_call(cpu_id(), in_handler, address);
    kunmap_local(address);
    CHECK(is_caught(SHARED));
    free_page(page);
}

static int in_thread(void *address)
{
    plant(write_word, address);
    return 0;
}

TEST(escape, thread_uses_anothers_bracket)
{
    struct page *page = alloc_page(domain_ram);
    void *address = kmap_local_page(page);
    struct thread *thread = thread_create("another", in_thread, address);
    CHECK(thread != NULL);
    CHECK_EQ(thread_join(thread), 0);
    kunmap_local(address);
    CHECK(is_caught(SHARED));
    free_page(page);
}

// ------------------------------------------------------------ Mappings for
// longer

TEST(escape, write_after_kunmap)
{
    struct page *page = alloc_page(domain_ram);
    void *address = kmap(page);
    write_word(address);
    kunmap(page);
    plant(write_word, address);
    CHECK(is_caught(OPEN));
    free_page(page);
}

TEST(escape, write_after_vunmap)
{
    struct page *page = alloc_page(domain_ram);
    void *address = vmap(&page, 1, MAP_READ | MAP_WRITE);
    write_word(address);
    vunmap(address);
    plant(write_word, address);
    CHECK(is_caught(OPEN));
    free_page(page);
}

TEST(escape, write_to_a_vmap_to_read)
{
    struct page *page = alloc_page(domain_ram);
    void *address = vmap(&page, 1, MAP_READ);
    plant(write_word, address);
    vunmap(address);
    CHECK(is_caught(0));
    free_page(page);
}

TEST(escape, write_past_the_end_of_a_vmap)
{
    struct page *page = alloc_page(domain_ram);
    char *address = vmap(&page, 1, MAP_READ | MAP_WRITE);
    plant(write_word, address + PAGE_SIZE);
    vunmap(address);
    CHECK(is_caught(0));
    free_page(page);
}

// ---------------------------------------------------------- Wrong use of the
// calls

static struct page *page_of_bug;

static void unmap_out_of_order(void *unused)
{
    (void)unused;
    const void *outer = kmap_local_page(page_of_bug);
    const void *inner = kmap_local_page_ro(page_of_bug + 1);
    kunmap_local(outer);
    kunmap_local(inner);
}

static void unmap_twice(void *unused)
{
    (void)unused;
    const void *address = kmap_local_page(page_of_bug);
    kunmap_local(address);
    kunmap_local(address);
}

static void free_while_open(void *unused)
{
    (void)unused;
    const void *address = kmap_local_page(page_of_bug);
    free_pages(page_of_bug, 1);
    kunmap_local(address);
}

static void map_a_free_frame(void *page)
{
    kunmap_local(kmap_local_page(page));
}

static void copy_past_the_end(void *unused)
{
    (void)unused;
    memzero_page(page_of_bug, PAGE_SIZE - 4, 8);
}

static bool misuse_is_caught(void (*bug)(void *arg), unsigned may_pass)
{
    page_of_bug = alloc_pages(domain_ram, 1);
    plant(bug, NULL);
    bool good = is_caught(may_pass);
    if (page_domain(page_of_bug) != NULL) {
        free_pages(page_of_bug, 1);
    }
    return good;
}

TEST(escape, unmap_out_of_order)
{
    CHECK(misuse_is_caught(unmap_out_of_order, OPEN));
}

TEST(escape, unmap_twice)
{
    CHECK(misuse_is_caught(unmap_twice, OPEN));
}

TEST(escape, free_while_open)
{
    CHECK(misuse_is_caught(free_while_open, OPEN));
}

TEST(escape, copy_past_the_end_of_the_frame)
{
    CHECK(misuse_is_caught(copy_past_the_end, 0));
}

TEST(escape, map_of_a_free_frame)
{
    struct page *page = alloc_page(domain_ram);
    free_page(page);
    plant(map_a_free_frame, page);
    CHECK(is_caught(OPEN));
}

static void free_again(void *page)
{
    free_page(page);
}

TEST(escape, free_twice)
{
    struct page *page = alloc_page(domain_ram);
    free_page(page);
    plant(free_again, page);
    CHECK(is_caught(0));
}
