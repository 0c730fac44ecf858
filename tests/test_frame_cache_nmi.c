// SPDX-License-Identifier: MIT
//
// NMIs that take keys away at every instruction of alloc_page() and
// free_page().
#include "arch/pks.h"
#include "kernel/config.h"
#include "mm/audit.h"
#include "mm/frame_cache.h"
#include "mm/keys.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/handlers.h"

static struct audit_report report;

#define THIEVES (PKS_KEYS - KEY_DOMAINS + 1) // more domains than there are keys

static struct domain *stepped;
static struct page *thieves[THIEVES];
static bool only_while_filling;
static unsigned steps, tries, thefts;

// Each NMI opens another domain that is parked, and so takes a key away.
static void steal_key(void *unused)
{
    static unsigned next;
    (void)unused;
    unsigned before = stepped->key;
    if (only_while_filling && percpu.frame_filling != stepped->id) {
        return;
    }
    tries++;
    next = (next + 1) % THIEVES;
    volatile unsigned *p = kmap_local_page(thieves[next]);
    *p = next;
    kunmap_local((const void *)p);
    thefts += before != 0 && stepped->key == 0;
}

static void at_each_steal(void *unused)
{
    (void)unused;
    if (test_takes(steps++)) {
        cpu_nmi(cpu_id(), steal_key, NULL);
    }
}

static void allocate_and_free(void *unused)
{
    (void)unused;
    free_page(alloc_page(stepped));
}

static bool thieves_make(void)
{
    stepped = domain_create("victim");
    bool made = stepped != NULL;
    for (unsigned i = 0; i < THIEVES; i++) {
        struct domain *domain = domain_create("thief");
        thieves[i] = domain != NULL ? alloc_page(domain) : NULL;
        made = made && thieves[i] != NULL;
    }
    return made;
}

static bool thieves_unmake(void)
{
    bool gone = domain_destroy(stepped) == 0;
    for (unsigned i = 0; i < THIEVES; i++) {
        struct domain *domain = page_domain(thieves[i]);
        free_page(thieves[i]);
        gone = domain_destroy(domain) == 0 && gone;
    }
    return gone;
}

static bool steal_all_along(void)
{
    tries = thefts = 0;
    step_through(allocate_and_free, NULL, at_each_steal, NULL);
    return domain_frames(stepped) == 0 && rights_are(PKRS_CLOSED) &&
           percpu.frame_filling == DOMAIN_NONE;
}

// With several CPUs an NMI takes no key at all, and free_page() fills by other
// means, which pin the key.
// key may go while no frame is being filled, and stays while one is: a fault is
// what would come of it.
TEST(frame_cache, an_nmi_takes_no_key_that_fills)
{
    NEEDS_PKS();
    CHECK(thieves_make());
    only_while_filling = false;
    bool right = steal_all_along();
    unsigned stolen = thefts;
    // Now with a key and a frame in the list from the start.
    allocate_and_free(NULL);
    only_while_filling = true;
    right = steal_all_along() && right;
    CHECK(thieves_unmake());
    CHECK(right);
    CHECK(stolen == 0 || cpus_online() == 1);
    // An eighth of all NMIs may all come when it has no key.
    CHECK(stolen > 0 || cpus_online() > 1 || config.brief);
    CHECK(tries > test_rounds(300));
    CHECK_EQ(thefts, 0);
    CHECK(audit_run(&report));
}

static unsigned step, first_fill; // in steps of allocate_and_free()

static void note_first_fill(void *unused)
{
    (void)unused;
    if (percpu.frame_filling == stepped->id && first_fill == 0) {
        first_fill = step;
    }
    step++;
}

// At one instruction, the key goes if it may.
static void steal_at(void *at)
{
    if (step++ == *(unsigned *)at) {
        for (unsigned i = 0; i < 2 * THIEVES && stepped->key != 0; i++) {
            kunmap_local(kmap_local_page(thieves[i % THIEVES]));
        }
    }
}

#define BEFORE 12 // instructions that look at the rights and note the fill

// The allocator finds the key and loses it before it has said that it fills.
TEST(frame_cache, a_key_may_go_just_before_it_fills)
{
    NEEDS_PKS();
    CHECK(thieves_make());
    allocate_and_free(NULL); // now there is a key, and a frame in the list
    step = first_fill = 0;
    step_through(allocate_and_free, NULL, note_first_fill, NULL);
    for (unsigned at = first_fill - BEFORE; at <= first_fill; at++) {
        if (!test_takes(at)) {
            continue;
        }
        step = 0;
        step_through(allocate_and_free, NULL, steal_at, &at);
        allocate_and_free(NULL);
        CHECK(rights_are(PKRS_CLOSED));
        CHECK_EQ(percpu.frame_filling, DOMAIN_NONE);
    }
    CHECK(first_fill > BEFORE);
    CHECK(thieves_unmake());
    CHECK(audit_run(&report));
}
