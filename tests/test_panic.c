// SPDX-License-Identifier: MIT
//
// Ways to die, each a run of its own (tests/matrix): the first line is always
// there, and then as much as can still be said.
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/trap.h"
#include "kernel/console.h"
#include "lib/panic.h"
#include "mm/lock.h"
#include "tests/framework.h"
#include "tests/threads.h"

static struct page *page;
static volatile bool standing;

static int stand_in_a_bracket(void *unused)
{
    (void)unused;
    (void)kmap_local_page(page);
    standing = true;
    while (standing) {
        cpu_pause();
    }
    return 0;
}

static int sleep_in_a_bracket(void *unused)
{
    (void)unused;
    const void *at = kmap_local_page_ro(page);
    standing = true;
    thread_sleep_ms(100000);
    kunmap_local(at);
    return 0;
}

static bool stands(unsigned cpu, int (*fn)(void *unused), const char *name)
{
    standing = false;
    if (thread_create_on(cpu, name, fn, NULL) == NULL) {
        return false;
    }
    while (!standing) {
        thread_yield();
    }
    return true;
}

// What each CPU and each thread had open.
TEST(panic, says_what_all_had_open)
{
    ONLY_WHEN_ASKED_FOR("panic.says_what_all_had_open");
    page = alloc_page(domain_ram);
    CHECK(page != NULL && stands(0, sleep_in_a_bracket, "sleeper"));
    CHECK(cpus_online() == 1 || stands(1, stand_in_a_bracket, "stander"));
    thread_sleep_ms(1);
    (void)kmap_local_page(page);
    panic("with everything open");
}

// The second panic says its line, and no more.
TEST(panic, inside_a_panic)
{
    ONLY_WHEN_ASKED_FOR("panic.inside_a_panic");
    percpu.bracket_top = (struct bracket *)8; // of what a report looks at
    panic("what comes behind this line breaks");
}

static int keep_the_console(void *unused)
{
    (void)unused;
    console_begin();
    printf("half a line");
    standing = true;
    while (standing) {
        cpu_pause();
    }
    return 0;
}

// Locks that are held, here and elsewhere, hold up nothing.
TEST(panic, with_locks_held)
{
    ONLY_WHEN_ASKED_FOR("panic.with_locks_held");
    if (cpus_online() > 1) {
        CHECK(thread_create_on(1, "keeper", keep_the_console, NULL) != NULL);
        while (!standing) {
            cpu_pause();
        }
    }
    (void)mm_lock();
    panic("nobody gives a lock back");
}

static void panic_here(void *unused)
{
    (void)unused;
    panic("in the handler of an NMI");
}

TEST(panic, inside_an_nmi)
{
    ONLY_WHEN_ASKED_FOR("panic.inside_an_nmi");
    console_begin(); // what the NMI interrupts was speaking
    cpu_nmi(cpus_online() - 1, panic_here, NULL);
}

// With the stack pointer at the end of the stack, there is no room for a call.
TEST(panic, without_a_stack)
{
    ONLY_WHEN_ASKED_FOR("panic.without_a_stack");
    uintptr_t bottom, top;
    CHECK(stack_find((uintptr_t)__builtin_frame_address(0), &bottom, &top));
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "xorl %%edi, %%edi\n\t"
                     "call panic"
                     :
                     : "r"(bottom + 8)
                     : "memory");
}
