// SPDX-License-Identifier: MIT
//
// Keys on their way from one domain to another: what the first bracket on a
// parked domain gives, what handlers find meanwhile, and that none is lost.
#include "arch/pks.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "mm/lock.h"
#include "tests/engines.h"
#include "tests/framework.h"
#include "tests/handlers.h"

#define LENT (PKS_KEYS - KEY_DOMAINS) // keys for domains
#define COUNT (LENT + 1)              // one is parked at least

static struct domain *domains[COUNT];
static struct page *pages[COUNT]; // each begins with its number

static bool domains_make(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        domains[i] = domain_create("handover");
        pages[i] = domains[i] != NULL ? alloc_page(domains[i]) : NULL;
        if (pages[i] == NULL) {
            return false;
        }
        memset_page(pages[i], 0, (int)i, 1);
    }
    return true;
}

static void domains_unmake(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned char number;
        memcpy_from_page(&number, pages[i], 0, 1);
        CHECK_EQ(number, i);
        free_page(pages[i]);
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
}

// A frame of a domain without a key.
static unsigned parked_find(void)
{
    unsigned i = 0;
    while (i + 1 < COUNT && domains[i]->key != 0) {
        i++;
    }
    return i;
}

static bool reaches(const struct page *page)
{
    return probe_read(page_direct_map_address(page), &(char){0}, 1, NULL);
}

// ---------------------------------------------------------- The first bracket

TEST(keys, read_only_on_a_parked_domain)
{
    CHECK(domains_make());
    for (unsigned times = 0; times < 3; times++) {
        unsigned i = parked_find();
        CHECK_EQ(domains[i]->key, 0);
        const volatile unsigned char *p = kmap_local_page_ro(pages[i]);
        CHECK_EQ(domains[i]->key != 0, test_engine()->keys);
        CHECK_EQ(*p, i);
        CHECK_REFUSED(ACCESS_WRITE,
                      *(volatile unsigned char *)p = (unsigned char)i);
        CHECK(!test_engine()->keys ||
              pks_rights() == (PKRS_CLOSED & ~PKRS_AD(domains[i]->key)));
        kunmap_local((const void *)p);
        CHECK(rights_are(PKRS_CLOSED));
    }
    domains_unmake();
}

// It takes a key and opens it: that is one write of the register for the
// bracket, and two for the page tables.
TEST(keys, the_first_bracket_is_counted)
{
    NEEDS_ACCOUNT();
    CHECK(domains_make());
    struct map_stats before, after;
    unsigned i = parked_find();
    CHECK_EQ(domains[i]->key, 0);
    map_stats_read(&before);
    const void *p = kmap_local_page(pages[i]);
    const void *q = kmap_local_page(pages[i]); // skipped
    kunmap_local(q);                           // skipped
    kunmap_local(p);
    map_stats_read(&after);
    CHECK_EQ(after.brackets - before.brackets, 2);
    CHECK_EQ(after.nested - before.nested, 1);
    CHECK_EQ(after.pkrs_writes_skipped - before.pkrs_writes_skipped,
             test_engine()->pair_again.pkrs_skipped);
    CHECK(after.pkrs_writes - before.pkrs_writes >=
          2 * test_engine()->pair.pkrs_writes);
    domains_unmake();
}

// A window has its frames' own key where that is open anyway. It is open while
// the window is, whoever wants it.
TEST(keys, scattered_frames_keep_their_key)
{
    CHECK(domains_make());
    const volatile unsigned char *p[COUNT];
    unsigned last = COUNT - 1;
    for (unsigned i = 0; i < last; i++) {
        p[i] = kmap_local_pages_ro(&pages[i], 1);
        CHECK_EQ(domains[i]->key != 0, test_engine()->keys);
    }
    CHECK_EQ(domains[last]->key, 0);
    uint32_t rights = pks_rights();
    volatile unsigned char *q = kmap_local_page(pages[last]);
    CHECK_EQ(*q, last);
    CHECK_EQ(domains[last]->key, 0);
    kunmap_local((const void *)q);
    CHECK_EQ(reaches(pages[last]), !engine_refuses());
    // The allocator looks for a key too, at frames in the window.
    struct page *more = alloc_page(domains[last]);
    CHECK(more != NULL);
    CHECK(rights_are(rights));
    free_page(more);
    CHECK(rights_are(rights));
    for (unsigned i = last; i-- > 0;) {
        CHECK_EQ(*p[i], i);
        kunmap_local((const void *)p[i]);
    }
    CHECK(rights_are(PKRS_CLOSED));
    domains_unmake();
}

// ---------------------------------------------------------------------
// Handlers

static void bracket_on(unsigned i)
{
    volatile unsigned char *p = kmap_local_page(pages[i]);
    HANDLER_CHECK(*p == i);
    *p = (unsigned char)i;
    kunmap_local((const void *)p);
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
}

static unsigned steps_with_lock;

static uint8_t keys_before[COUNT];

// On each domain whose key is another than before, and on two more in turn.
static void bracket_on_some(void *unused)
{
    (void)unused;
    static unsigned turn;
    for (unsigned i = 0; i < COUNT; i++) {
        if (domains[i]->key != keys_before[i]) {
            bracket_on(i);
        }
    }
    for (unsigned more = 0; more < 2; more++) {
        bracket_on(turn++ % COUNT);
    }
}

// While keys change hands, and not before: the key would be taken here.
static void at_each_in_the_lock(void *send_nmi)
{
    if (!mm_lock_held() || !test_takes(steps_with_lock++)) {
        return;
    }
    if (send_nmi != NULL) {
        cpu_nmi(cpu_id(), bracket_on_some, NULL);
    } else {
        bracket_on_some(NULL);
    }
}

static void bracket_on_parked(void *number)
{
    bracket_on(*(unsigned *)number);
}

// At every instruction a handler finds each domain with all of a key or with
// none, and gets at its frames either way.
TEST(keys, handlers_while_keys_change_hands)
{
    NEEDS_PKS();
    CHECK(domains_make());
    for (unsigned nmis = 0; nmis < 2; nmis++) {
        unsigned i = parked_find();
        CHECK_EQ(domains[i]->key, 0);
        for (unsigned j = 0; j < COUNT; j++) {
            keys_before[j] = domains[j]->key;
        }
        steps_with_lock = 0;
        step_through(bracket_on_parked, &i, at_each_in_the_lock,
                     nmis ? &i : NULL);
        CHECK(handlers_passed());
        CHECK(steps_with_lock > 100);
        CHECK(domains[i]->key != 0);
    }
    CHECK(rights_are(PKRS_CLOSED));
    domains_unmake();
}

static unsigned steps, looks;

static void fill_frames(void *unused)
{
    (void)unused;
    struct page *page = alloc_page(domains[0]);
    struct page *block = alloc_pages(domains[0], 1);
    const volatile char *p = kmap_local_page_ro(block);
    HANDLER_CHECK(*p == 0);
    kunmap_local((const void *)p);
    free_page(page);
    free_pages(block, 1);
}

// Every key that may change hands does, wherever the interrupted thread has
// nothing open yet; and now and then where it has, since filling takes long.
static void at_each_take_all_keys(void *unused)
{
    (void)unused;
    const struct bracket *top = percpu.bracket_top[-1].interrupted;
    if (!mm_lock_held() &&
        (top[-1].rights == PKRS_CLOSED || steps++ % 64 == 0) &&
        test_takes(looks++)) {
        for (unsigned i = 1; i < COUNT; i++) {
            bracket_on(i);
        }
    }
}

// The allocator has no bracket on what it fills, and keeps its key all the
// same: by a pin, or by the note that it is filling.
TEST(keys, none_changes_hands_while_frames_are_filled)
{
    NEEDS_REFUSALS();
    CHECK(domains_make());
    for (unsigned i = 0; i < test_rounds(3); i++) {
        kunmap_local(kmap_local_page(pages[0])); // a key to begin with
        steps = 0;
        step_through(fill_frames, NULL, at_each_take_all_keys, NULL);
        CHECK(handlers_passed());
        CHECK(steps > 500);
    }
    CHECK(rights_are(PKRS_CLOSED));
    domains_unmake();
}

static void reach_for_it(void *address)
{
    struct fault fault;
    if (!test_engine()->others_stay_out) {
        HANDLER_CHECK(probe_read(address, &(char){0}, 1, NULL));
        return;
    }
    HANDLER_CHECK(!probe_read(address, &(char){0}, 1, &fault));
    HANDLER_CHECK(is_refusal(&fault, ACCESS_READ, address, NULL));
    HANDLER_CHECK(!test_engine()->keys || fault.pkey == KEY_WINDOW);
    HANDLER_CHECK(!probe_write(address, &(char){0}, 1, NULL));
}

// What opens through the window is closed to others, too.
TEST(keys, a_window_is_closed_to_handlers)
{
    CHECK(domains_make());
    const void *open[COUNT];
    unsigned last = COUNT - 1;
    for (unsigned i = 0; i < last; i++) {
        open[i] = kmap_local_page(pages[i]);
    }
    CHECK_EQ(domains[last]->key, 0);
    volatile unsigned char *p = kmap_local_page(pages[last]);
    CHECK_EQ(*p, last);
    cpu_call(cpu_id(), reach_for_it, (void *)p);
    cpu_nmi(cpu_id(), reach_for_it, (void *)p);
    CHECK(handlers_passed());
    *p = (unsigned char)last;
    kunmap_local((const void *)p);
    for (unsigned i = last; i-- > 0;) {
        kunmap_local(open[i]);
    }
    CHECK(rights_are(PKRS_CLOSED));
    domains_unmake();
}

// ------------------------------------------------------------ Nothing is lost

// Neither keys nor numbers, however many domains come and go.
TEST(keys, come_back_from_destroyed_domains)
{
    for (unsigned i = 0; i < 2 * PKS_KEYS; i++) {
        struct domain *domain = domain_create("short");
        struct page *page = domain != NULL ? alloc_page(domain) : NULL;
        CHECK(page != NULL);
        kunmap_local(kmap_local_page(page));
        CHECK_EQ(domain->key != 0, test_engine()->keys);
        free_page(page);
        CHECK_EQ(domain_destroy(domain), 0);
    }
    for (unsigned i = 0; i < DOMAINS_MAX + 10; i++) {
        struct domain *domain = domain_create("shorter");
        CHECK(domain != NULL);
        CHECK_EQ(domain_destroy(domain), 0);
    }
}
