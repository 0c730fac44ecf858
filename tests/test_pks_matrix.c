// SPDX-License-Identifier: MIT
//
// Protection keys for supervisor pages, access by access: every combination of
// access, rights, key, CR0.WP, size of leaf and kind of page, on the real CPU,
// against a model written from the SDM.
//
// One thing cannot be tried: a refused access to a page of key 0. The stack
// has that key, so the CPU could not push the exception either.
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "arch/pks.h"
#include "kernel/fault.h"
#include "keyhole.h"
#include "mm/pagetable.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/pks_access.h"

// Aliases of the frames under test. The data pages are never executable and
// the code pages never writable; with leaves above 4 KiB both kinds span the
// same frames, which is what a large leaf means.
#define DATA_OFFSET 0
#define CODE_OFFSET GIB(1)
#define WITNESS_BASE (TEST_REGION_BASE + GIB(2)) // the data, with key 0
#define RUNNER_BASE (TEST_REGION_BASE + GIB(3))  // code that runs with key 0

#define RUNNER_OFFSET 256 // of the code for key 0 in the code page
#define VALUE_BEFORE 0x1234567800000000 // in the data page
#define OPERAND 0x9abc
#define FAILURES_SHOWN 10
#define CELLS (16 * 2 * 4 * 4)

#define RIGHT_AD 1u
#define RIGHT_WD 2u

// A kind of page.
struct place {
    unsigned level;  // of the leaf
    bool user_leaf;  // U/S in the leaf
    bool user_upper; // U/S in every entry above it
};

struct cell {
    enum pks_access access;
    uint32_t rights; // RIGHT_AD, RIGHT_WD: for the page's key
    unsigned key;
    bool write_protect; // CR0.WP
    bool smep;          // CR4.SMEP
};

static struct {
    struct page *block;
    char *data, *code;
    volatile uint64_t *witness;
    pks_key0_fn key0;
    unsigned cells, impossible, failures;
    unsigned modify_as[2]; // refused as a read, as a write
} now;

// ------------------------------------------------------------------ The model

// Whether an address is a user-mode address: U/S is set in every entry that
// translates it (SDM 3A 4.6).
static bool place_is_user(const struct place *place)
{
    return place->user_leaf && place->user_upper;
}

// The error code of the #PF that an access in supervisor mode ends in, or 0.
// The page is writable or executable, as the access needs; EFLAGS.AC is set,
// so SMAP allows user-mode addresses; CR4.PKE is 0, so PKRU has no say.
static uint32_t model(const struct place *place, const struct cell *cell)
{
    bool user = place_is_user(place);
    if (cell->access == PKS_FETCH) {
        // SDM 3A 4.6.1: from a user-mode address only if CR4.SMEP is 0. Keys
        // do not control fetches (4.6.2).
        return user && cell->smep ? PF_PRESENT | PF_FETCH : 0;
    }
    if (user) {
        return 0; // 4.6.2: IA32_PKRS controls supervisor-mode addresses
    }
    // 4.6.2: AD prohibits any data access; WD prohibits writes if CR0.WP is 1.
    bool write = cell->access != PKS_READ;
    bool refused = (cell->rights & RIGHT_AD) ||
                   (write && (cell->rights & RIGHT_WD) && cell->write_protect);
    // 4.7: W/R for a write; PK.
    uint32_t error = PF_PRESENT | PF_PKEY | (write ? PF_WRITE : 0);
    return refused ? error : 0;
}

// ------------------------------------------------------------------ One access

static void set_ac(bool on)
{
    uint64_t flags = cpu_read_flags() & ~RFLAGS_AC;
    flags |= on ? RFLAGS_AC : 0;
    __asm__ volatile("push %0; popfq" : : "r"(flags) : "memory", "cc");
}

static void *cell_address(const struct cell *cell)
{
    return cell->access == PKS_FETCH ? now.code : now.data;
}

// Make the access. Returns what it read; refused: *fault is filled in.
static uint64_t access_make(const struct cell *cell, uint64_t operand,
                            struct fault *fault)
{
    uint64_t value = 0;
    switch (cell->access) {
    case PKS_READ:
        pks_access_read(now.data, &value, fault);
        break;
    case PKS_WRITE:
        pks_access_write(now.data, operand, fault);
        break;
    case PKS_MODIFY:
        pks_access_modify(now.data, operand, fault);
        break;
    case PKS_FETCH:
        run_protected(pks_access_fetch, now.code, fault);
        break;
    }
    return value;
}

// The same with these rights for the page's key, and put back the others.
static uint64_t access_make_with_rights(const struct cell *cell,
                                        uint64_t operand, struct fault *fault,
                                        bool *copies_agree)
{
    uint32_t before = pks_rights();
    uint32_t rights =
        (before & ~PKRS_KEY_MASK(cell->key)) | cell->rights << (2 * cell->key);
    uint64_t value;
    set_ac(true);
    if (cell->key == 0) {
        // An interrupt could not be delivered: its frame goes on the stack.
        uint64_t flags = cpu_interrupts_off();
        value =
            now.key0(cell_address(cell), rights, cell->access, before, operand);
        cpu_interrupts_restore(flags);
        rights = before;
    } else {
        pks_set_rights(rights);
        value = access_make(cell, operand, fault);
    }
    set_ac(false);
    *copies_agree =
        pks_rights() == rights && cpu_read_msr(MSR_IA32_PKRS) == rights;
    pks_set_rights(before);
    return value;
}

// ---------------------------------------------------------------- One verdict

// What is wrong with the outcome, or NULL.
static const char *verdict(const struct cell *cell, uint32_t want,
                           const struct fault *fault, uint64_t value)
{
    bool write = cell->access == PKS_WRITE || cell->access == PKS_MODIFY;
    uint64_t after =
        cell->access == PKS_MODIFY ? VALUE_BEFORE + OPERAND : OPERAND;
    if (*now.witness != (write && want == 0 ? after : VALUE_BEFORE)) {
        return "memory has another value";
    }
    if (want == 0) {
        if (fault->kind != FAULT_NONE) {
            return "refused";
        }
        return cell->access == PKS_READ && value != VALUE_BEFORE
                   ? "read another value"
                   : NULL;
    }
    if (fault->kind == FAULT_NONE) {
        return "allowed";
    }
    uint32_t got = fault->error_code;
    if (cell->access == PKS_MODIFY && (cell->rights & RIGHT_AD)) {
        // Read and write are refused both; the SDM leaves open which of them
        // the error code is about.
        now.modify_as[(got & PF_WRITE) != 0]++;
        want = (want & ~PF_WRITE) | (got & PF_WRITE);
    }
    if (got != want) {
        return "another error code";
    }
    if (fault->address != (uintptr_t)cell_address(cell)) {
        return "another CR2";
    }
    enum fault_kind kind = want & PF_PKEY ? FAULT_PKEY : FAULT_NO_EXECUTE;
    enum fault_access access = want & PF_FETCH   ? ACCESS_EXECUTE
                               : want & PF_WRITE ? ACCESS_WRITE
                                                 : ACCESS_READ;
    bool same = fault->kind == kind && fault->access == access &&
                fault->pkey == (int)cell->key &&
                fault->page == now.block + (want & PF_FETCH ? 1 : 0);
    return same ? NULL : "another kind, access, key or frame";
}

static void cell_fail(const struct cell *cell, uint32_t want,
                      const struct fault *fault, const char *what)
{
    static const char *const names[] = {"read", "write", "modify", "fetch"};
    if (now.failures++ < FAILURES_SHOWN) {
        test_fail(__FILE__, __LINE__,
                  "%s key=%u AD=%u WD=%u WP=%d SMEP=%d: %s: want error 0x%x, "
                  "got %s 0x%x CR2 0x%lx key %d",
                  names[cell->access], cell->key, cell->rights & RIGHT_AD,
                  cell->rights >> 1, cell->write_protect, cell->smep, what,
                  want, fault_kind_name(fault->kind), fault->error_code,
                  fault->address, fault->pkey);
    }
}

static void cell_check(const struct place *place, const struct cell *cell)
{
    uint32_t want = model(place, cell);
    struct fault fault = {.kind = FAULT_NONE, .pkey = -1};
    bool copies_agree;
    now.cells++;
    if (cell->key == 0 && want != 0) {
        now.impossible++;
        return;
    }
    *now.witness = VALUE_BEFORE;
    uint64_t value =
        access_make_with_rights(cell, OPERAND, &fault, &copies_agree);
    const char *what = verdict(cell, want, &fault, value);
    if (what == NULL && !copies_agree) {
        what = "IA32_PKRS and its soft copy have another value";
    }
    if (what != NULL) {
        cell_fail(cell, want, &fault, what);
    }
}

// ----------------------------------------------------------------- The matrix

static void code_fill(struct page *page)
{
    char *to = kmap_local_page(page);
    memcpy(to, pks_fetch_target, pks_fetch_target_end - pks_fetch_target);
    memcpy(to + RUNNER_OFFSET, pks_key0, pks_key0_end - pks_key0);
    kunmap_local(to);
}

static uintptr_t place_base(const struct place *place)
{
    return place->user_upper ? ALIAS_LOW_BASE : TEST_REGION_BASE;
}

static bool place_map(const struct place *place)
{
    uintptr_t base = place_base(place);
    uint64_t user = place->user_leaf ? PTE_US : 0;
    code_fill(now.block + 1);
    now.data = alias_map(base + DATA_OFFSET, now.block, place->level,
                         user | ALIAS_DATA);
    now.code = alias_map(base + CODE_OFFSET, now.block + 1, place->level, user);
    now.witness = alias_map(WITNESS_BASE, now.block, 1, ALIAS_DATA);
    char *runner = alias_map(RUNNER_BASE, now.block + 1, 1, 0);
    now.key0 = (pks_key0_fn)(runner + RUNNER_OFFSET);
    return now.data != NULL && now.code != NULL && now.witness != NULL &&
           runner != NULL;
}

static void place_unmap(const struct place *place)
{
    alias_unmap(place_base(place) + DATA_OFFSET, place->level);
    alias_unmap(place_base(place) + CODE_OFFSET, place->level);
    alias_unmap(WITNESS_BASE, 1);
    alias_unmap(RUNNER_BASE, 1);
}

static void place_key_set(const struct place *place, unsigned key)
{
    uintptr_t base = place_base(place);
    uint64_t size = PT_LEVEL_SIZE(place->level);
    pt_change(base + DATA_OFFSET, size, PTE_KEY_MASK, PTE_KEY(key));
    pt_change(base + CODE_OFFSET, size, PTE_KEY_MASK, PTE_KEY(key));
}

// Every access with every right.
static void cells_check(const struct place *place, struct cell cell)
{
    for (uint32_t rights = 0; rights < 4; rights++) {
        for (unsigned access = PKS_READ; access <= PKS_FETCH; access++) {
            cell.access = access;
            cell.rights = rights;
            cell_check(place, &cell);
        }
    }
}

// All keys, with CR0.WP and CR4.SMEP as they are told.
static void place_check(const struct place *place, bool smep)
{
    uint64_t cr0 = cpu_read_cr0(), cr4 = cpu_read_cr4();
    if (!smep) {
        cpu_write_cr4(cr4 & ~CR4_SMEP);
    }
    for (unsigned key = 0; key < PKS_KEYS; key++) {
        place_key_set(place, key);
        cpu_write_cr0(cr0 & ~CR0_WP);
        cells_check(place, (struct cell){.key = key, .smep = smep});
        cpu_write_cr0(cr0);
        cells_check(
            place,
            (struct cell){.key = key, .smep = smep, .write_protect = true});
    }
    cpu_write_cr4(cr4);
}

// Refused cells of key 0: of a supervisor-mode address three accesses with AD,
// WD or not, and with CR0.WP both writes with WD alone; of a user-mode address
// the fetches under SMEP.
static unsigned impossible_count(const struct place *place, bool smep)
{
    return !place_is_user(place) ? 2 * 2 * 3 + 2 : smep ? 2 * 4 : 0;
}

static void matrix_run(const struct place *place)
{
    NEEDS_PKS();
    bool smep = (cpu_read_cr4() & CR4_SMEP) != 0;
    if (place->level == 3 && !cpu_has(CPU_FEATURE_PAGE_1GB)) {
        SKIP("the CPU has no leaves of 1 GiB (pdpe1gb)");
    }
    now.cells = now.impossible = now.failures = 0;
    now.modify_as[0] = now.modify_as[1] = 0;
    now.block = alloc_pages(domain_ram, 1);
    CHECK(now.block != NULL);
    bool mapped = place_map(place);
    unsigned rounds = smep && place_is_user(place) ? 2 : 1;
    for (unsigned round = 0; mapped && round < rounds; round++) {
        place_check(place, smep && round == 0);
    }
    place_unmap(place);
    free_pages(now.block, 1);
    CHECK(mapped);
    CHECK_EQ(now.failures, 0);
    CHECK(now.modify_as[0] == 0 || now.modify_as[1] == 0);
    if (now.modify_as[0] != 0) {
        printf("# note: a refused read-modify-write is reported as a read "
               "here (TCG with one CPU)\n");
    }
    CHECK_EQ(now.cells, rounds * CELLS);
    CHECK_EQ(now.impossible, impossible_count(place, smep));
    CHECK_EQ(pks_rights(), PKRS_CLOSED);
    CHECK_EQ(cpu_read_msr(MSR_IA32_PKRS), PKRS_CLOSED);
}

TEST(pks_matrix, supervisor_4k)
{
    matrix_run(&(struct place){.level = 1});
}

TEST(pks_matrix, supervisor_2m)
{
    matrix_run(&(struct place){.level = 2});
}

TEST(pks_matrix, supervisor_1g)
{
    matrix_run(&(struct place){.level = 3});
}

TEST(pks_matrix, user_4k)
{
    matrix_run(
        &(struct place){.level = 1, .user_leaf = true, .user_upper = true});
}

TEST(pks_matrix, user_2m)
{
    matrix_run(
        &(struct place){.level = 2, .user_leaf = true, .user_upper = true});
}

TEST(pks_matrix, user_1g)
{
    matrix_run(
        &(struct place){.level = 3, .user_leaf = true, .user_upper = true});
}

// One supervisor entry on the way makes a supervisor-mode address.
TEST(pks_matrix, supervisor_leaf_below_user_entries)
{
    matrix_run(&(struct place){.level = 1, .user_upper = true});
}

TEST(pks_matrix, user_leaf_below_supervisor_entries)
{
    matrix_run(&(struct place){.level = 1, .user_leaf = true});
}
