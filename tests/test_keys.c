// SPDX-License-Identifier: MIT
//
// More domains than keys: keys go to those in use, what is parked is closed,
// and a bracket opens through the window when every key is taken.
#include "arch/asm.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "keyhole.h"
#include "lib/types.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/handlers.h"

#define DOMAINS 100
#define LENT (PKS_KEYS - KEY_DOMAINS) // keys for domains
#define DEPTH 30 // nested brackets, more than there are keys

static struct domain *domains[DOMAINS];
static struct page *pages[DOMAINS];

// Each domain with a block of two frames; frame k of domain i holds i and k.
static bool domains_make(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        domains[i] = domain_create("many");
        pages[i] = domains[i] != NULL ? alloc_pages(domains[i], 1) : NULL;
        if (pages[i] == NULL) {
            return false;
        }
        for (unsigned k = 0; k < 2; k++) {
            memset_page(pages[i] + k, 0, (int)(2 * i + k), PAGE_SIZE);
        }
    }
    return true;
}

// False: contents are wrong, or a domain does not go.
static bool domains_unmake(unsigned count)
{
    bool right = true;
    for (unsigned i = 0; i < count; i++) {
        unsigned char ends[2];
        memcpy_from_page(&ends[0], pages[i], 0, 1);
        memcpy_from_page(&ends[1], pages[i] + 1, PAGE_SIZE - 1, 1);
        right = right && ends[0] == 2 * i && ends[1] == 2 * i + 1;
        free_pages(pages[i], 1);
        right = domain_destroy(domains[i]) == 0 && right;
    }
    return right;
}

static bool reaches(const struct page *page)
{
    char byte;
    return probe_read(page_direct_map_address(page), &byte, 1, NULL);
}

// Whether the direct map leads to a frame of the domain that is open alone.
static bool reaches_open(bool open)
{
    return !engine_refuses() || (open && test_engine()->brackets_are_direct);
}

TEST(keys, parked_domains_are_closed)
{
    NEEDS_REFUSALS();
    CHECK(domains_make(DOMAINS));
    unsigned parked = 0;
    for (unsigned i = 0; i < DOMAINS; i++) {
        struct fault fault;
        char byte;
        const void *at = page_direct_map_address(pages[i]);
        CHECK(!probe_read(at, &byte, 1, &fault));
        CHECK(is_refusal(&fault, ACCESS_READ, at, pages[i]));
        parked += domains[i]->key == 0;
    }
    CHECK(parked >= DOMAINS - LENT);
    CHECK(domains_unmake(DOMAINS));
}

TEST(keys, go_to_those_in_use)
{
    CHECK(domains_make(DOMAINS));
    struct map_stats before, after;
    for (unsigned i = 0; i < DOMAINS; i++) {
        volatile unsigned char *p = kmap_local_page(pages[i]);
        CHECK_EQ(*p, 2 * i);
        CHECK_EQ(domains[i]->key >= KEY_DOMAINS, test_engine()->keys);
        // One key, one domain: no other is open now.
        for (unsigned k = 0; k < DOMAINS; k++) {
            CHECK_EQ(reaches(pages[k]), reaches_open(k == i));
        }
        kunmap_local((const void *)p);
        CHECK(rights_are(PKRS_CLOSED));
        // The second time it has a key: no table is written, nothing flushed.
        map_stats_read(&before);
        kunmap_local(kmap_local_page(pages[i]));
        map_stats_read(&after);
        const struct pair_cost *pair = &test_engine()->pair;
        CHECK_EQ(after.pte_writes - before.pte_writes, pair->pte_writes);
        CHECK_EQ(after.invlpg - before.invlpg, pair->invlpg);
        CHECK_EQ(after.pkrs_writes - before.pkrs_writes, pair->pkrs_writes);
    }
    CHECK(domains_unmake(DOMAINS));
}

// A domain that is parked and one that takes its key: one leaf each, where each
// has a block of its own. Memory of domain_ram may be in many, so it is kept
// out of this by a bracket on it.
TEST(keys, rekeying_flushes_what_it_must)
{
    NEEDS_PKS();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL && domains_make(LENT + 4));
    const void *open = kmap_local_page_ro(page);
    bool whole = true;
    for (unsigned i = 0; i < LENT + 4; i++) {
        whole = whole && domains[i]->blocks != 0;
    }
    for (unsigned i = 0; i < LENT + 4; i++) {
        struct map_stats before, after;
        bool parked = domains[i]->key == 0;
        map_stats_read(&before);
        kunmap_local(kmap_local_page(pages[i]));
        map_stats_read(&after);
        CHECK_EQ(after.full_flushes, before.full_flushes);
        CHECK_EQ(after.invlpg != before.invlpg, parked);
        if (parked && whole) {
            CHECK_EQ(after.invlpg - before.invlpg, 2);
            CHECK_EQ(after.pte_writes - before.pte_writes, 2);
        }
    }
    kunmap_local(open);
    free_page(page);
    CHECK(domains_unmake(LENT + 4));
}

// With every key open, the next bracket opens through the window.
TEST(keys, all_open_at_once)
{
    CHECK(domains_make(DEPTH));
    volatile unsigned char *p[DEPTH];
    for (unsigned i = 0; i < DEPTH; i++) {
        p[i] = i % 3 == 0 ? kmap_local_range(pages[i], PAGE_SIZE - 1, 2)
                          : kmap_local_page(pages[i]);
        CHECK_EQ(*p[i], 2 * i);
        for (unsigned k = 0; k <= i; k++) {
            *p[k] = (unsigned char)(2 * k);
        }
    }
    unsigned in_window = 0;
    for (unsigned i = 0; i < DEPTH; i++) {
        in_window += domains[i]->key == 0;
        bool direct = !test_engine()->keys || domains[i]->key != 0;
        CHECK_EQ(reaches(pages[i]), reaches_open(direct));
    }
    CHECK(in_window >= DEPTH - LENT);
    // Memory of a parked domain can be had and given back meanwhile.
    struct page *more = alloc_page(domains[DEPTH - 1]);
    CHECK(more != NULL);
    free_page(more);
    for (unsigned i = DEPTH; i-- > 0;) {
        if (i % 3 == 0) {
            CHECK_EQ(p[i][1], 2 * i + 1); // across the border
        }
        kunmap_local((const void *)p[i]);
        CHECK_EQ(probe_read((const void *)p[i], &(char){0}, 1, NULL),
                 !engine_refuses());
        CHECK(i == 0 || *p[i - 1] == (unsigned char)(2 * (i - 1)));
    }
    CHECK(rights_are(PKRS_CLOSED));
    CHECK(domains_unmake(DEPTH));
}

TEST(keys, read_only_through_the_window)
{
    NEEDS_ACCOUNT();
    CHECK(domains_make(DEPTH));
    const void *p[DEPTH];
    for (unsigned i = 0; i < DEPTH - 2; i++) {
        p[i] = kmap_local_page(pages[i]);
    }
    struct page *pair[] = {pages[DEPTH - 2] + 1, pages[DEPTH - 2]};
    const volatile unsigned char *one = kmap_local_page_ro(pages[DEPTH - 1]);
    const volatile unsigned char *two = kmap_local_pages_ro(pair, 2);
    CHECK_EQ(*one, 2 * (DEPTH - 1));
    CHECK_EQ(*two, 2 * (DEPTH - 2) + 1);
    if (engine_refuses()) {
        CHECK_FAULT(FAULT_WRITE_PROTECT, ACCESS_WRITE,
                    *(volatile unsigned char *)one = 1);
    }
    CHECK_FAULT(FAULT_WRITE_PROTECT, ACCESS_WRITE,
                *(volatile unsigned char *)two = 1);
    CHECK_MISUSE(free_pages(pages[DEPTH - 1], 1));
    CHECK_MISUSE(free_pages(pages[DEPTH - 2], 1));
    CHECK_MISUSE(kunmap_local((const void *)one));
    kunmap_local((const void *)two);
    kunmap_local((const void *)one);
    for (unsigned i = DEPTH - 2; i-- > 0;) {
        kunmap_local(p[i]);
    }
    CHECK(domains_unmake(DEPTH));
}

static unsigned handler_failures;

// In a handler: a bracket on a parked domain must not take a key that the
// interrupted thread has open.
static void bracket_in_handler(void *argument)
{
    struct page *page = argument;
    volatile unsigned char *p = kmap_local_page(page);
    handler_failures += *p != (unsigned char)(2 * (DEPTH - 1));
    kunmap_local((const void *)p);
    handler_failures += reaches(page) != reaches_open(false);
}

TEST(keys, handlers_take_nothing_away)
{
    CHECK(domains_make(DEPTH));
    handler_failures = 0;
    for (unsigned open = 0; open < DEPTH - 1; open += 7) {
        volatile unsigned char *p[DEPTH];
        for (unsigned i = 0; i < open; i++) {
            p[i] = kmap_local_page(pages[i]);
        }
        uint32_t rights = pks_rights();
        cpu_call(0, bracket_in_handler, pages[DEPTH - 1]);
        cpu_nmi(0, bracket_in_handler, pages[DEPTH - 1]);
        CHECK(rights_are(rights));
        for (unsigned i = open; i-- > 0;) {
            CHECK_EQ(*p[i], (unsigned char)(2 * i));
            kunmap_local((const void *)p[i]);
        }
    }
    CHECK_EQ(handler_failures, 0);
    CHECK(domains_unmake(DEPTH));
}

static struct {
    unsigned target, at; // the step at which keys change hands, and this one
} steps;

// In the handler of one chosen instruction: brackets on all the other domains,
// so that every key that nobody has open changes hands.
static void bracket_all_others(void *unused)
{
    (void)unused;
    if (steps.at++ != steps.target) {
        return;
    }
    for (unsigned i = 1; i < LENT + 2; i++) {
        volatile unsigned char *p = kmap_local_page(pages[i]);
        handler_failures += *p != (unsigned char)(2 * i);
        kunmap_local((const void *)p);
    }
}

static bool opens_only(const struct domain *domain)
{
    return !test_engine()->keys ||
           pks_rights() == (PKRS_CLOSED & ~PKRS_KEY_MASK(domain->key));
}

// A bracket opens its own domain, and no other that has got the key meanwhile.
static void page_and_look(void *unused)
{
    (void)unused;
    volatile unsigned char *p = kmap_local_page(pages[0]);
    handler_failures += *p != 0;
    handler_failures += !opens_only(domains[0]);
    kunmap_local((const void *)p);
}

static void pages_and_look(void *unused)
{
    (void)unused;
    struct page *pair[] = {pages[0] + 1, pages[0]};
    volatile unsigned char *p = kmap_local_pages(pair, 2);
    handler_failures += *p != 1;
    handler_failures += !opens_only(domains[0]);
    kunmap_local((const void *)p);
}

// The domain has a key when the call begins, and loses it at one instruction.
static bool keeps_its_key(void (*call)(void *))
{
    struct fault fault;
    steps.at = 1;
    for (steps.target = 0; steps.target < steps.at && handler_failures == 0;
         steps.target++) {
        if (steps.target != 0 && !test_takes(steps.target)) {
            continue;
        }
        kunmap_local(kmap_local_page(pages[0]));
        steps.at = 0;
        step_through(call, NULL, bracket_all_others, NULL);
    }
    return handler_failures == 0 && run_protected(call, NULL, &fault);
}

TEST(keys, none_changes_hands_under_a_map_call)
{
    CHECK(domains_make(LENT + 2));
    handler_failures = 0;
    CHECK(keeps_its_key(page_and_look));
    CHECK(keeps_its_key(pages_and_look));
    CHECK(rights_are(PKRS_CLOSED));
    CHECK(domains_unmake(LENT + 2));
}

// Random brackets, nested up to 20, over 100 domains. The model is a stack of
// what is open and how; a sample of frames is probed after each step.
TEST(keys, hundred_domains_at_random)
{
    uint64_t state = test_seed() | 1;
    struct {
        unsigned domain;
        bool writable;
        volatile unsigned char *address;
    } open[20];
    unsigned depth = 0;
    CHECK(domains_make(DOMAINS));
    for (unsigned step = 0; step < test_rounds(1500); step++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        unsigned i = state % DOMAINS;
        if (depth < ARRAY_SIZE(open) && (state >> 32) % 2 == 0) {
            bool writable = (state >> 40) % 2;
            open[depth].domain = i;
            open[depth].writable = writable;
            open[depth].address =
                writable ? kmap_local_page(pages[i])
                         : (unsigned char *)kmap_local_page_ro(pages[i]);
            depth++;
        } else if (depth > 0) {
            depth--;
            kunmap_local((const void *)open[depth].address);
        }
        for (unsigned k = 0; k < depth; k++) {
            CHECK_EQ(*open[k].address, 2 * open[k].domain);
            if (open[k].writable) {
                *open[k].address = (unsigned char)(2 * open[k].domain);
            }
        }
        unsigned sample = (state >> 20) % DOMAINS;
        bool allowed = false;
        for (unsigned k = 0; k < depth; k++) {
            allowed = allowed || open[k].domain == sample;
        }
        CHECK(allowed || reaches(pages[sample]) == reaches_open(false));
        CHECK(rights_are(pks_rights()));
    }
    while (depth-- > 0) {
        kunmap_local((const void *)open[depth].address);
    }
    CHECK(rights_are(PKRS_CLOSED));
    CHECK(domains_unmake(DOMAINS));
}

BENCH(keys, pair_on_a_parked_domain)
{
    if (domains_make(LENT + 20)) {
        BENCH_LOOP (n) {
            kunmap_local(kmap_local_page(pages[n % (LENT + 20)]));
        }
        domains_unmake(LENT + 20);
    }
}
