// SPDX-License-Identifier: MIT
//
// A thread that has moved gives back a part of its window, and handlers come at
// every moment of that: its old CPU forgets the part all the same, and nobody
// waits for who waits for him. Found by `make soak`.
#include "arch/percpu.h"
#include "mm/domain.h"
#include "mm/local_window.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/threads.h"

#define FRAMES 4
#define DOMAINS 16 // more than there are keys

static struct page *frames[FRAMES];
static struct page *others[DOMAINS]; // of a domain each
static const struct page *keyless;
static unsigned at, instruction;
static bool spins;

static bool frames_get(void)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        frames[i] = alloc_page(domain_ram);
    }
    return frames[FRAMES - 1] != NULL;
}

static void frames_put(void)
{
    for (unsigned i = 0; i < FRAMES; i++) {
        free_page(frames[i]);
    }
}

static void close(void *address)
{
    kunmap_local(address);
}

// With the window filled here on CPU 0, and given back on CPU 1.
static void close_elsewhere(void (*at_each)(void *))
{
    (void)thread_pin(0);
    void *p = kmap_local_pages(frames, FRAMES);
    (void)thread_pin(1);
    instruction = 0;
    step_through(close, p, at_each, NULL);
}

static void use_window(void *unused)
{
    (void)unused;
    kunmap_local(kmap_local_pages(frames, 1));
}

// -------------------------------------------------------------- An interrupt

// Once, right behind the moment when the room is given back.
static void interrupt_there(void *unused)
{
    const struct local_window *window = local_window();
    if (window->next == window->base && instruction++ == 0) {
        use_window(unused);
    }
}

static int spin(void *unused)
{
    (void)unused;
    while (*(volatile bool *)&spins) {
        thread_yield();
    }
    return 0;
}

TEST(window_moved, a_handler_hides_nothing_from_the_old_cpu)
{
    if (cpus_online() < 2) {
        SKIP("needs two CPUs");
    }
    if (!engine_shares_windows()) {
        SKIP("no other CPU knows its windows");
    }
    CHECK(frames_get());
    spins = true; // so that CPU 0 does not idle
    struct thread *thread = thread_create_on(0, "spin", spin, NULL);
    CHECK(thread != NULL);
    (void)thread_pin(1);
    uint64_t before = cpu_data_of(0)->invlpg;
    close_elsewhere(interrupt_there);
    uint64_t forgotten = cpu_data_of(0)->invlpg - before;
    spins = false;
    (void)thread_join(thread);
    CHECK(forgotten >= FRAMES);
    frames_put();
}

// -------------------------------------------------------------------- An NMI

// At every instruction with two CPUs. With more, whose emulation takes long, at
// every third.
static unsigned stride(void)
{
    return cpus_online() > 2 ? 3 : 1;
}

static void nmi_uses_window(void *unused)
{
    if (++instruction == at) {
        cpu_nmi(cpu_id(), use_window, unused);
    }
}

TEST(window_moved, an_nmi_waits_for_nobody)
{
    if (cpus_online() < 2) {
        SKIP("needs two CPUs");
    }
    CHECK(frames_get());
    for (at = instruction = 1; at <= instruction; at += stride()) {
        if (at == 1 || test_takes(at)) {
            close_elsewhere(nmi_uses_window);
        }
    }
    frames_put();
}

static void use_keyless(void *unused)
{
    (void)unused;
    kunmap_local(kmap_local_page_ro((struct page *)keyless));
}

static void nmi_wants_key(void *unused)
{
    if (++instruction == at) {
        cpu_nmi(cpu_id(), use_keyless, unused);
    }
}

// One domain without a key, and a key without a domain.
static void key_make_free(void)
{
    unsigned gone = 0;
    for (unsigned i = 0; i < DOMAINS; i++) {
        if (others[i] == NULL) {
            others[i] = alloc_page(domain_create("other"));
        }
        kunmap_local(kmap_local_page_ro(others[i]));
    }
    kunmap_local(kmap_local_page_ro(frames[0]));
    for (unsigned i = 0; i < DOMAINS; i++) {
        if (page_domain(others[i])->key == 0) {
            keyless = others[i];
        } else {
            gone = i;
        }
    }
    struct domain *domain = page_domain(others[gone]);
    free_page(others[gone]);
    (void)domain_destroy(domain);
    others[gone] = NULL;
}

TEST(window_moved, an_nmi_takes_no_key_from_who_waits)
{
    if (cpus_online() < 2) {
        SKIP("needs two CPUs");
    }
    CHECK(frames_get());
    for (at = instruction = 1; at <= instruction; at += stride()) {
        if (at == 1 || test_takes(at)) {
            key_make_free();
            close_elsewhere(nmi_wants_key);
        }
    }
    for (unsigned i = 0; i < DOMAINS; i++) {
        struct domain *domain = others[i] != NULL ? page_domain(others[i]) : 0;
        if (domain != NULL) {
            free_page(others[i]);
            others[i] = NULL;
            CHECK_EQ(domain_destroy(domain), 0);
        }
    }
    frames_put();
}
