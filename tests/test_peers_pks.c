// SPDX-License-Identifier: MIT
//
// What Linux's tests of protection keys for supervisor pages assert, against
// this API: defaults, one key, all keys, exceptions. docs/reference/peers.md
// has the list. The access matrix itself is in the pks_matrix suite.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "kernel/config.h"
#include "mm/domain.h"
#include "mm/pagetable.h"
#include "tests/engines.h"
#include "tests/handlers.h"
#include "tests/pks_access.h"

#define LENT (PKS_KEYS - KEY_DOMAINS) // keys for domains
#define VALUE 0x5eed000000000000

enum mode { CLOSED, READ_WRITE, READ_ONLY, MODES };

static struct domain *domains[LENT];
static struct page *pages[LENT];

static uint64_t value_of(unsigned i)
{
    return VALUE + i;
}

static bool domains_make(void)
{
    for (unsigned i = 0; i < LENT; i++) {
        domains[i] = domain_create("peers");
        pages[i] = domains[i] != NULL ? alloc_page(domains[i]) : NULL;
        if (pages[i] == NULL) {
            return false;
        }
        uint64_t value = value_of(i);
        memcpy_to_page(pages[i], 0, &value, sizeof(value));
    }
    return true;
}

static void domains_unmake(void)
{
    for (unsigned i = 0; i < LENT; i++) {
        free_page(pages[i]);
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
}

static const void *open_as(enum mode mode, unsigned i)
{
    switch (mode) {
    case READ_WRITE:
        return kmap_local_page(pages[i]);
    case READ_ONLY:
        return kmap_local_page_ro(pages[i]);
    default:
        return NULL;
    }
}

// -------------------------------------------------------------------- Defaults

// Key 0 open, every other closed, in the register and in its soft copy.
static void defaults_check(void *where)
{
    uint64_t hard = cpu_read_msr(MSR_IA32_PKRS);
    HANDLER_CHECK(hard == pks_rights());
    HANDLER_CHECK((hard & PKRS_KEY_MASK(0)) == 0);
    for (unsigned key = 1; key < PKS_KEYS; key++) {
        HANDLER_CHECK((hard & PKRS_AD(key)) != 0);
    }
    ++*(unsigned *)where;
}

TEST(peers_pks, defaults)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    unsigned places = 0;
    defaults_check(&places);
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, defaults_check, &places);
        cpu_nmi(cpu, defaults_check, &places);
    }
    CHECK(handlers_passed());
    CHECK_EQ(places, 1 + 2 * cpus_online());
}

// -------------------------------------------------------------- Keys and modes

static bool refused_is(const struct fault *fault, enum fault_access access,
                       unsigned i)
{
    uint32_t error = PF_PRESENT | PF_PKEY;
    error |= access == ACCESS_WRITE ? PF_WRITE : 0;
    return fault->kind == FAULT_PKEY && fault->access == access &&
           fault->error_code == error &&
           fault->address == (uintptr_t)page_direct_map_address(pages[i]) &&
           fault->page == pages[i] &&
           fault->pkey == (int)domain_leaf_key(domains[i]);
}

// One read and one write by one instruction each, in a domain that is open in
// this way. A refused write changes nothing, an allowed one is undone.
static bool answers_as(enum mode mode, unsigned i)
{
    void *at = page_direct_map_address(pages[i]);
    struct fault fault = {.kind = FAULT_NONE};
    uint64_t seen = 0;
    bool read = pks_access_read(at, &seen, &fault);
    if (read != (mode != CLOSED) ||
        (read ? seen != value_of(i) : !refused_is(&fault, ACCESS_READ, i))) {
        return false;
    }
    bool written = pks_access_write(at, ~value_of(i), &fault);
    if (written != (mode == READ_WRITE) ||
        (!written && !refused_is(&fault, ACCESS_WRITE, i))) {
        return false;
    }
    memcpy_from_page(&seen, pages[i], 0, sizeof(seen));
    if (written) {
        uint64_t value = value_of(i);
        memcpy_to_page(pages[i], 0, &value, sizeof(value));
    }
    return seen == (written ? ~value_of(i) : value_of(i));
}

// The leaf of the direct map has the key of the domain.
static bool leaf_has_key(unsigned i)
{
    struct pt_walk walk;
    pt_walk((uintptr_t)page_direct_map_address(pages[i]), &walk);
    return walk.present &&
           pte_key(walk.entry[walk.level]) == domain_leaf_key(domains[i]);
}

// Each domain by itself, with every key that can be lent.
TEST(peers_pks, each_key_in_each_mode)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    uint32_t used = 0;
    CHECK(domains_make());
    for (unsigned i = 0; i < LENT; i++) {
        for (enum mode mode = CLOSED; mode < MODES; mode++) {
            const void *p = open_as(mode, i);
            CHECK(answers_as(mode, i));
            CHECK(leaf_has_key(i));
            if (mode != CLOSED) {
                used |= 1u << domains[i]->key;
                kunmap_local(p);
            }
            CHECK(answers_as(CLOSED, i));
        }
    }
    CHECK(!(used & (BIT(KEY_DOMAINS) - 1)));
    domains_unmake();
}

// All keys open at once, each in its own way, and closed one after the other.
TEST(peers_pks, all_keys_at_once_in_mixed_modes)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    CHECK(domains_make());
    for (unsigned turn = 0; turn < MODES; turn++) {
        enum mode modes[LENT];
        const void *open[LENT];
        for (unsigned i = 0; i < LENT; i++) {
            modes[i] = (i + turn) % MODES;
            open[i] = open_as(modes[i], i);
        }
        for (unsigned left = LENT; left-- > 0;) {
            for (unsigned i = 0; i < LENT; i++) {
                CHECK(answers_as(modes[i], i));
            }
            if (modes[left] != CLOSED) {
                kunmap_local(open[left]);
                modes[left] = CLOSED;
            }
        }
        CHECK(rights_are(PKRS_CLOSED));
    }
    domains_unmake();
}

// ------------------------------------------------------------------ Exceptions

static struct page *shared; // open for reading in the thread

// The handler's rights are the default, not the thread's. It opens the same
// frame for writing, has an exception of its own, and closes it again.
static void handler_opens_for_writing(void *count)
{
    void *at = page_direct_map_address(shared);
    struct fault fault = {.kind = FAULT_NONE};
    uint64_t value;
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
    HANDLER_CHECK(!probe_read(at, &value, sizeof(value), &fault));
    HANDLER_CHECK(fault.error_code == (PF_PRESENT | PF_PKEY));
    volatile uint64_t *p = kmap_local_page(shared);
    uint32_t rights = pks_rights();
    HANDLER_CHECK(rights != PKRS_CLOSED);
    ++*p;
    HANDLER_CHECK(!probe_read(NULL, &value, sizeof(value), &fault));
    HANDLER_CHECK(rights_are(rights));
    ++*p;
    kunmap_local((const void *)p);
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
    HANDLER_CHECK(!probe_write(at, &value, sizeof(value), &fault));
    HANDLER_CHECK(fault.error_code == (PF_PRESENT | PF_PKEY | PF_WRITE));
    *(unsigned *)count += 2;
}

// #PF in the thread, with handlers of #DB around it.
static void write_refused(void *at)
{
    struct fault fault;
    uint64_t value = 1;
    HANDLER_CHECK(!probe_write(at, &value, sizeof(value), &fault));
    HANDLER_CHECK(fault.error_code == (PF_PRESENT | PF_PKEY | PF_WRITE));
}

TEST(peers_pks, exceptions_have_rights_of_their_own)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    unsigned count = 0;
    shared = alloc_page(domain_ram);
    CHECK(shared != NULL);
    const volatile uint64_t *p = kmap_local_page_ro(shared);
    uint32_t rights = pks_rights();
    cpu_call(cpu_id(), handler_opens_for_writing, &count);
    CHECK_EQ(*p, 2);
    cpu_nmi(cpu_id(), handler_opens_for_writing, &count);
    CHECK_EQ(*p, 4);
    CHECK(rights_are(rights));
    step_through(write_refused, (void *)p, handler_opens_for_writing, &count);
    CHECK(handlers_passed());
    CHECK(rights_are(rights));
    CHECK(count > 40); // twice for each instruction
    CHECK_EQ(*p, count);
    CHECK_REFUSED(ACCESS_WRITE, *(volatile uint64_t *)p = 1);
    kunmap_local((const void *)p);
    volatile uint64_t *q = kmap_local_page(shared);
    *q = 1;
    kunmap_local((const void *)q);
    CHECK(rights_are(PKRS_CLOSED));
    free_page(shared);
}

static void find_closed(void *at)
{
    uint64_t value;
    HANDLER_CHECK(!probe_read(at, &value, sizeof(value), NULL));
}

// fault=relaxed: the handler of the fault changes what the thread may do, as
// little as it needs, and the access is done again.
TEST(peers_pks, exception_updates_the_thread)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    if (!config.fault_relaxed) {
        SKIP("needs fault=relaxed");
    }
    CHECK(domains_make());
    volatile uint64_t *at = page_direct_map_address(pages[0]);
    uint64_t faults[5], seen;
    printf("# two reports that this test asks for:\n");
    faults[0] = faults_count();
    seen = *at;
    faults[1] = faults_count();
    seen += *at;
    bool other = pks_access_read(page_direct_map_address(pages[1]), &seen,
                                 &(struct fault){0});
    faults[2] = faults_count();
    *at = 1;
    faults[3] = faults_count();
    *at += 1;
    cpu_call(cpu_id(), find_closed, (void *)at);
    faults[4] = faults_count();
    uint32_t rights = pks_rights();
    test_relaxed_forget();

    CHECK(!other);
    CHECK(handlers_passed());
    CHECK_EQ(seen, 2 * value_of(0));
    CHECK_EQ(faults[1] - faults[0], 1);
    CHECK_EQ(faults[2] - faults[1], 1); // the other domain's
    CHECK_EQ(faults[3] - faults[2], 1); // it was open for reading only
    CHECK_EQ(faults[4] - faults[3], 1); // the handler's
    CHECK_EQ(rights, PKRS_CLOSED & ~PKRS_KEY_MASK(domains[0]->key));
    CHECK_REFUSED(ACCESS_READ, (void)*at);
    memcpy_from_page(&seen, pages[0], 0, sizeof(seen));
    CHECK_EQ(seen, 2);
    domains_unmake();
}

// No bracket says so, but the key is this thread's from then on: others that
// want one must take another.
TEST(peers_pks, exception_keeps_the_key)
{
    if (protect_engine() != PROTECT_PKS || !config.fault_relaxed) {
        SKIP("needs pks and fault=relaxed");
    }
    struct page *ram = alloc_page(domain_ram); // one domain more than keys
    CHECK(ram != NULL && domains_make());
    volatile uint64_t *at = page_direct_map_address(pages[0]);
    printf("# a report that this test asks for:\n");
    CHECK_EQ(*at, value_of(0));
    unsigned key = domains[0]->key;
    for (unsigned i = 0; i < 2 * LENT; i++) {
        kunmap_local(kmap_local_page(i % LENT ? pages[i % LENT] : ram));
    }
    bool kept = domains[0]->key == key && *at == value_of(0);
    test_relaxed_forget();
    CHECK(kept);
    free_page(ram);
    domains_unmake();
}
