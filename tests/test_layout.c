// SPDX-License-Identifier: MIT
//
// What is mapped, and how: the kernel's invariants about its page tables, each
// looked at in the tables themselves and tried with an access.
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "arch/pks.h"
#include "arch/pte.h"
#include "arch/trap.h"
#include "keyhole.h"
#include "mm/frames.h"
#include "mm/image.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/pagetable.h"
#include "mm/section.h"
#include "mm/tables.h"
#include "tests/engines.h"
#include "tests/handlers.h"

#define LOWER_HALF_END 0x0000800000000000ull
#define UPPER_HALF 0xffff800000000000ull

// -------------------------------------------------------------- A walk of all

// What a walk calls for each leaf, and for each table that it enters. False
// stops the walk; the visitor has failed the test then.
struct visitor {
    bool (*leaf)(uintptr_t address, uint64_t entry, unsigned level);
    bool (*table)(phys_addr_t table, uint64_t entry);
};

static unsigned leaves_seen, tables_seen;

static bool tables_visit(const struct visitor *visitor, uintptr_t address,
                         const struct pt_walk *walk)
{
    for (unsigned level = PT_LEVELS; level > walk->level; level--) {
        // Entered just here: nothing of it lies before this address.
        if (IS_ALIGNED(address, PT_LEVEL_SIZE(level))) {
            tables_seen++;
            if (!visitor->table(walk->entry[level] & PTE_ADDRESS,
                                walk->entry[level])) {
                return false;
            }
        }
    }
    return true;
}

// From `address` to `last`, in the order of addresses.
static bool walk_range(const struct visitor *visitor, uintptr_t address,
                       uintptr_t last)
{
    for (;;) {
        struct pt_walk walk;
        pt_walk(address, &walk);
        uint64_t size = PT_LEVEL_SIZE(walk.level);
        if (!tables_visit(visitor, address, &walk)) {
            return false;
        }
        if (walk.present) {
            leaves_seen++;
            if (!visitor->leaf(address, walk.entry[walk.level], walk.level)) {
                return false;
            }
        }
        if (last - address < size) {
            return true;
        }
        address += size;
    }
}

// All that can be mapped. With the tables open for reading: it makes many
// thousand walks, each of which would open and close them.
static bool walk_all(const struct visitor *visitor)
{
    uint32_t rights = pks_rights();
    leaves_seen = tables_seen = 0;
    pks_set_rights(rights & ~PKRS_AD(KEY_TABLES));
    bool done = walk_range(visitor, 0, LOWER_HALF_END - 1) &&
                walk_range(visitor, UPPER_HALF, ~0ull);
    pks_set_rights(rights);
    return done;
}

static bool leaf_any(uintptr_t address, uint64_t entry, unsigned level)
{
    (void)address;
    (void)entry;
    (void)level;
    return true;
}

static bool table_any(phys_addr_t table, uint64_t entry)
{
    (void)table;
    (void)entry;
    return true;
}

static bool leaf_fail(const char *what, uintptr_t address, uint64_t entry)
{
    test_fail(__FILE__, __LINE__, "%s: leaf 0x%llx at 0x%lx", what,
              (unsigned long long)entry, address);
    return false;
}

// Whether two ranges have a byte in common.
static bool overlap(uint64_t base, uint64_t size, const char *start,
                    const char *end)
{
    return base < (uintptr_t)end - KERNEL_BASE &&
           (uintptr_t)start - KERNEL_BASE < base + size;
}

// What is executable anywhere is text, and no alias of that can be written.
static bool leaf_keeps_w_xor_x(uintptr_t address, uint64_t entry,
                               unsigned level)
{
    bool writable = entry & PTE_RW, executable = !(entry & PTE_XD);
    uint64_t base = entry & PTE_ADDRESS & ~(PT_LEVEL_SIZE(level) - 1);
    bool text = overlap(base, PT_LEVEL_SIZE(level), __text_start, __text_end);
    if (writable && executable) {
        return leaf_fail("writable and executable", address, entry);
    }
    if (executable && !image_is_text(address)) {
        return leaf_fail("executable, and not kernel text", address, entry);
    }
    return !(writable && text) ||
           leaf_fail("a writable alias of kernel text", address, entry);
}

TEST(layout, nothing_is_writable_and_executable)
{
    const struct visitor visitor = {leaf_keeps_w_xor_x, table_any};
    CHECK(walk_all(&visitor));
    CHECK(leaves_seen > 10);
    CHECK(tables_seen > 3);
}

static bool leaf_is_the_kernels(uintptr_t address, uint64_t entry,
                                unsigned level)
{
    (void)level;
    if (address < UPPER_HALF) {
        return leaf_fail("mapped in the lower half", address, entry);
    }
    return !(entry & (PTE_US | PTE_G)) ||
           leaf_fail("user or global", address, entry);
}

static bool table_is_supervisor(phys_addr_t table, uint64_t entry)
{
    if (entry & PTE_US) {
        test_fail(__FILE__, __LINE__, "user entry for the table at 0x%llx",
                  (unsigned long long)table);
    }
    return !(entry & PTE_US);
}

// The one-to-one mapping of boot is gone with it.
TEST(layout, lower_half_is_empty)
{
    static const uintptr_t low[] = {
        0,        8,        4095,         4096,       0x7c00,
        MIB(1),   MIB(2),   MIB(16),      GIB(1) - 1, GIB(4) - PAGE_SIZE,
        GIB(512), TIB(100), TIB(128) - 1,
    };
    const struct visitor visitor = {leaf_is_the_kernels, table_is_supervisor};
    CHECK(walk_all(&visitor));
    for (unsigned i = 0; i < ARRAY_SIZE(low); i++) {
        struct fault fault;
        char byte = 0;
        CHECK(!probe_read((void *)low[i], &byte, 1, &fault));
        CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
        CHECK_EQ(fault.address, low[i]);
        CHECK(!probe_write((void *)low[i], &byte, 1, &fault));
        CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    }
}

// ------------------------------------------------------------------ Direct map

static uint64_t direct_bytes;

static bool leaf_is_closed(uintptr_t address, uint64_t entry, unsigned level)
{
    if (address >= DIRECT_MAP_BASE + DIRECT_MAP_SIZE ||
        address < DIRECT_MAP_BASE) {
        return true;
    }
    uint64_t physical = entry & PTE_ADDRESS & ~(PT_LEVEL_SIZE(level) - 1);
    direct_bytes += PT_LEVEL_SIZE(level);
    if (address != DIRECT_MAP_BASE + physical) {
        return leaf_fail("not one to one", address, entry);
    }
    if (pte_key(entry) == KEY_KERNEL && engine_refuses()) {
        return leaf_fail("key 0 in the direct map", address, entry);
    }
    return (entry & PTE_XD) ||
           leaf_fail("executable in the direct map", address, entry);
}

TEST(layout, direct_map_is_closed)
{
    const struct visitor visitor = {leaf_is_closed, table_any};
    direct_bytes = 0;
    CHECK(walk_all(&visitor));
    // All memory that there is, and nothing else; or nothing.
    CHECK_EQ(direct_bytes,
             engine_has_direct_map() ? sections_memory_bytes() : 0);
    // Every key but 0 is closed, on the CPU too.
    CHECK_EQ(pks_rights(), PKRS_CLOSED);
    CHECK(rights_are(PKRS_CLOSED));
}

// The address in the direct map of a byte of the kernel image.
static char *image_alias(const void *address)
{
    return (char *)DIRECT_MAP_BASE + ((uintptr_t)address - KERNEL_BASE);
}

TEST(layout, image_aliases_are_read_only)
{
    static char data;
    const void *const in_image[] = {__text_start, __rodata_start,
                                    __ro_after_init_start, &data};
    for (unsigned i = 0; i < ARRAY_SIZE(in_image); i++) {
        char *alias = image_alias(in_image[i]), byte = 0;
        struct fault fault = {.kind = FAULT_NONE};
        CHECK_EQ(probe_read(alias, &byte, 1, &fault), !engine_refuses());
        CHECK_EQ(fault.kind, test_engine()->closed);
        CHECK(!test_engine()->keys || fault.pkey == KEY_CLOSED);
        if (!engine_has_direct_map()) {
            CHECK(!probe_write(alias, &byte, 1, &fault));
            CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
            continue;
        }
        // Even with every key open.
        uint32_t rights = pks_rights();
        pks_set_rights(0);
        bool written = probe_write(alias, &byte, 1, &fault);
        pks_set_rights(rights);
        CHECK(!written);
        CHECK_EQ(fault.kind, FAULT_WRITE_PROTECT);
        CHECK_EQ(fault.error_code, PF_PRESENT | PF_WRITE);
    }
}

// ----------------------------------------------------------------- Page tables

static bool table_is_closed(phys_addr_t table, uint64_t entry)
{
    (void)entry;
    uint64_t word = 0;
    struct fault fault;
    char *alias = (char *)engine->tables_base + table + 8;
    bool keys = test_engine()->keys;
    if (probe_write(alias, &word, sizeof(word), &fault) ||
        fault.kind != (keys ? FAULT_PKEY : FAULT_WRITE_PROTECT) ||
        fault.pkey != (keys ? KEY_TABLES : KEY_KERNEL) ||
        fault.error_code != (PF_PRESENT | PF_WRITE | (keys ? PF_PKEY : 0))) {
        test_fail(__FILE__, __LINE__,
                  "table 0x%llx: kind %u, key %d, error 0x%x",
                  (unsigned long long)table, fault.kind, fault.pkey,
                  fault.error_code);
        return false;
    }
    return true;
}

// While the tables are open for reading, as they are in a walk, they are not
// open for writing.
TEST(layout, page_tables_are_closed)
{
    NEEDS_REFUSALS();
    const struct visitor visitor = {leaf_any, table_is_closed};
    CHECK(table_is_closed(pt_root(), 0));
    CHECK(walk_all(&visitor));
    size_t windows =
        engine->window_tables != NULL ? engine->window_tables() : 0;
    // The root is nobody's entry.
    CHECK_EQ(tables_seen + 1 + windows, tables_used());
    uint64_t word;
    struct fault fault;
    CHECK(!probe_read((char *)DIRECT_MAP_BASE + pt_root(), &word, 8, &fault));
    CHECK_EQ(fault.kind, test_engine()->closed);
}

// ------------------------------------------------------------------ The image

static void not_writable(uintptr_t address)
{
    char byte = 0;
    struct fault fault;
    CHECK(probe_read((void *)address, &byte, 1, &fault));
    CHECK(!probe_write((void *)address, &byte, 1, &fault));
    CHECK_EQ(fault.kind, FAULT_WRITE_PROTECT);
    CHECK_EQ(fault.error_code, PF_PRESENT | PF_WRITE);
    CHECK_EQ(fault.pkey, KEY_KERNEL);
}

TEST(layout, text_and_constants_are_read_only)
{
    not_writable((uintptr_t)__text_start);
    not_writable((uintptr_t)__text_end - 1);
    not_writable((uintptr_t)not_writable);
    not_writable((uintptr_t)__rodata_start);
    not_writable((uintptr_t)__rodata_end - 1);
    not_writable((uintptr_t)__ro_after_init_start);
    not_writable((uintptr_t)__ro_after_init_end - 1);
    not_writable((uintptr_t)__ksyms_start);
}

TEST(layout, data_is_not_executable)
{
    static char data[16] = {(char)0xc3}; // RET
    char stack[16] = {(char)0xc3};
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE, ((void (*)(void))data)());
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE, ((void (*)(void))stack)());
    CHECK_FAULT(FAULT_NO_EXECUTE, ACCESS_EXECUTE,
                ((void (*)(void))__rodata_start)());
}

static void nothing_mapped(uintptr_t address)
{
    char byte;
    struct fault fault;
    CHECK(!probe_read((void *)address, &byte, 1, &fault));
    CHECK_EQ(fault.kind, FAULT_NOT_PRESENT);
    CHECK_EQ(fault.address, address);
    CHECK_EQ(fault.pkey, -1);
}

TEST(layout, init_part_is_gone)
{
    for (uintptr_t at = (uintptr_t)__init_start; at < (uintptr_t)__init_end;
         at += PAGE_SIZE) {
        nothing_mapped(at);
    }
    nothing_mapped((uintptr_t)__init_end - 1);
    CHECK(!image_is_text((uintptr_t)__init_start));
    // Its frames are memory like any other: writable in the direct map, as no
    // frame of the image is.
    struct pt_walk walk;
    pt_walk((uintptr_t)image_alias(__init_start), &walk);
    CHECK_EQ(walk.present, engine_has_direct_map());
    CHECK(!walk.present || (walk.entry[walk.level] & PTE_RW));
}

TEST(layout, stacks_have_guards)
{
    extern char stack_boot_bottom[], stack_boot_top[];
    extern char stack_idle_bottom[];
    extern char stack_double_fault_bottom[], stack_double_fault_top[];
    extern char stack_nmi_bottom[], stack_nmi_top[];
    extern char stack_machine_check_bottom[], stack_machine_check_top[];
    const char *const bounds[][2] = {
        {stack_boot_bottom, stack_boot_top},
        {stack_idle_bottom, stack_idle_top},
        {stack_double_fault_bottom, stack_double_fault_top},
        {stack_nmi_bottom, stack_nmi_top},
        {stack_machine_check_bottom, stack_machine_check_top},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(bounds); i++) {
        char byte;
        nothing_mapped((uintptr_t)bounds[i][0] - 1);
        nothing_mapped((uintptr_t)bounds[i][0] - STACK_GUARD_SIZE);
        nothing_mapped((uintptr_t)bounds[i][1]);
        nothing_mapped((uintptr_t)bounds[i][1] + STACK_GUARD_SIZE - 1);
        CHECK(probe_read(bounds[i][0], &byte, 1, NULL));
        CHECK(probe_read(bounds[i][1] - 1, &byte, 1, NULL));
        CHECK(stack_guard_name((uintptr_t)bounds[i][0] - 1) != NULL);
    }
    uintptr_t here = (uintptr_t)__builtin_frame_address(0), bottom, top;
    CHECK(stack_find(here, &bottom, &top));
    nothing_mapped(bottom - 1);
    nothing_mapped(top);
}

// The CPU protects the kernel from itself as far as it can.
TEST(layout, control_registers)
{
    CHECK(cpu_read_cr0() & CR0_WP);
    CHECK_EQ(!!(cpu_read_cr4() & CR4_PKS), test_engine()->keys);
    CHECK(!(cpu_read_cr4() & CR4_PKE));
    CHECK(cpu_read_msr(MSR_EFER) & EFER_NXE);
    CHECK_EQ(!!(cpu_read_cr4() & CR4_SMEP), cpu_has(CPU_FEATURE_SMEP));
    CHECK_EQ(!!(cpu_read_cr4() & CR4_SMAP), cpu_has(CPU_FEATURE_SMAP));
    CHECK_EQ(!!(cpu_read_cr4() & CR4_UMIP), cpu_has(CPU_FEATURE_UMIP));
}
