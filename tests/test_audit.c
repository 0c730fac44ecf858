// SPDX-License-Identifier: MIT
//
// The audit against mutants: each test plants faults one at a time, straight
// into the page tables, the frame table or the rights, sees that the audit
// names the rule that is broken, and takes the fault away again.
#include "arch/percpu.h"
#include "arch/pte.h"
#include "arch/tlb.h"
#include "arch/trap.h"
#include "keyhole.h"
#include "mm/audit.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/image.h"
#include "mm/long_maps.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"
#include "mm/tables.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/planted.h"

#define UNUSED_BASE 0xffffe00000000000ull

TEST(audit, content_with_what_is_allowed)
{
    CHECK(planted_audit_is_content());
    size_t windows =
        engine->window_tables != NULL ? engine->window_tables() : 0;
    CHECK_EQ(planted_report.tables + windows, tables_used());
    CHECK(planted_report.leaves > 100);
    struct domain *domain = domain_create("audit");
    struct page *pages[4];
    for (unsigned i = 0; i < 4; i++) {
        pages[i] = alloc_pages(domain, i);
    }
    void *shared = kmap(pages[0]);
    CHECK_EQ(kmap(pages[0]), shared);
    CHECK(kmap_range(pages[2], 4) != NULL);
    struct page *twice[] = {pages[0], pages[3] + 5, pages[0]};
    void *area = vmap(twice, 3, MAP_READ);
    void *physical =
        vmap_range(page_to_phys(pages[3]), 8 * PAGE_SIZE, MAP_READ | MAP_WRITE);
    const void *window = kmap_local_pages_ro(twice, 3);
    void *local = kmap_local_page(pages[1]);
    char *object = kmalloc(3 * PAGE_SIZE);
    bool content = planted_audit_is_content();
    kfree(object);
    kunmap_local(local);
    kunmap_local(window);
    vunmap(physical);
    vunmap(area);
    kunmap_range(pages[2], 4);
    kunmap(pages[0]);
    kunmap(pages[0]);
    for (unsigned i = 0; i < 4; i++) {
        free_pages(pages[i], i);
    }
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(content);
    CHECK(planted_audit_is_content());
}

TEST(audit, writable_text)
{
    phys_addr_t text = (uintptr_t)__text_start - KERNEL_BASE;
    CHECK(
        mapped_is_found(TEST_REGION_BASE, text, ALIAS_DATA, AUDIT_IMAGE_ALIAS));
    CHECK(!engine_has_direct_map() ||
          planted_is_found(image_alias(__text_start), 1, 0, PTE_RW,
                           AUDIT_IMAGE_ALIAS));
    CHECK(planted_is_found((uintptr_t)__text_start, 1, 0, PTE_RW,
                           AUDIT_WRITE_EXECUTE));
    CHECK(
        planted_is_found((uintptr_t)__rodata_start, 1, 0, PTE_RW, AUDIT_IMAGE));
    CHECK(planted_is_found((uintptr_t)__ro_after_init_start, 1, 0, PTE_RW,
                           AUDIT_IMAGE));
}

TEST(audit, executable_data)
{
    static char data;
    CHECK(
        planted_is_found((uintptr_t)&data, 1, PTE_XD, 0, AUDIT_WRITE_EXECUTE));
    CHECK(planted_is_found((uintptr_t)__rodata_start, 1, PTE_XD, 0,
                           AUDIT_EXECUTABLE));
    CHECK(!engine_has_direct_map() ||
          planted_is_found(image_alias(__text_start), 1, PTE_XD, 0,
                           AUDIT_EXECUTABLE));
}

TEST(audit, stray_entries)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    phys_addr_t frame = page_to_phys(page);
    bool found =
        mapped_is_found(0, frame, PTE_XD, AUDIT_LOWER_HALF) &&
        mapped_is_found(ALIAS_LOW_BASE, frame, PTE_XD, AUDIT_LOWER_HALF) &&
        mapped_is_found(UNUSED_BASE, frame, PTE_XD, AUDIT_OUTSIDE) &&
        mapped_is_found(UNUSED_BASE, frame, ALIAS_DATA | PTE_KEY(1),
                        AUDIT_OUTSIDE) &&
        mapped_is_found(TEST_REGION_BASE, frame, PTE_XD, AUDIT_TEST_REGION) &&
        mapped_is_found(TEST_REGION_BASE, frame, PTE_XD | PTE_G, AUDIT_BITS);
    free_page(page);
    CHECK(found);
}

TEST(audit, entries_that_are_none)
{
    uintptr_t data = (uintptr_t)&planted_report;
    CHECK(planted_is_found(data + PAGE_SIZE, 1, 0, BIT(52), AUDIT_BITS));
    CHECK(planted_is_found(data, 1, 0, PTE_US, AUDIT_BITS));
    CHECK(planted_is_found(engine->tables_base, 4, 0, PTE_US, AUDIT_BITS));
    // A table's entry without P, and one that points to no table.
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    void *address = kmap(page);
    bool found =
        planted_is_found((uintptr_t)address, 1, PTE_P, 0, AUDIT_REMAINS) &&
        planted_is_found((uintptr_t)address, 2, PTE_ADDRESS, page_to_phys(page),
                         AUDIT_TABLE) &&
        planted_is_found((uintptr_t)address, 2, ~0ull, 0, AUDIT_TABLES_LOST);
    kunmap(page);
    free_page(page);
    CHECK(found);
}

TEST(audit, direct_map_keys)
{
    NEEDS_PKS();
    struct domain *domain = domain_create("audit");
    struct page *page = alloc_page(domain);
    CHECK(page != NULL);
    uintptr_t at = (uintptr_t)page_direct_map_address(page);
    unsigned level = planted_level(at);
    unsigned other = domain->key == KEY_DOMAINS ? KEY_DOMAINS + 1 : KEY_DOMAINS;
    bool found =
        planted_is_found(at, level, PTE_KEY_MASK, 0, AUDIT_DIRECT_OPEN) &&
        planted_is_found(at, level, PTE_KEY_MASK, PTE_KEY(other),
                         AUDIT_DIRECT_KEY) &&
        planted_is_found(at, level, PTE_KEY_MASK, PTE_KEY(KEY_CLOSED),
                         AUDIT_DIRECT_KEY) &&
        planted_is_found(at, level, ~0ull, 0, AUDIT_DIRECT_LOST) &&
        planted_is_found(at, level, PTE_ADDRESS & ~(GIB(1) - 1), GIB(1),
                         AUDIT_DIRECT_ADDRESS);
    free_page(page);
    // What the domain keeps for later has its key too.
    found = found && planted_is_found(at, planted_level(at), PTE_KEY_MASK,
                                      PTE_KEY(other), AUDIT_DIRECT_KEY);
    CHECK_EQ(domain_destroy(domain), 0);
    // The kernel's own frames, and the pool's.
    found = found &&
            planted_is_found(image_alias(&planted_report), 1, PTE_KEY_MASK,
                             PTE_KEY(KEY_DOMAINS), AUDIT_DIRECT_KEY) &&
            planted_is_found(at, planted_level(at), PTE_KEY_MASK,
                             PTE_KEY(KEY_DOMAINS), AUDIT_DIRECT_KEY);
    CHECK(found);
}

// Where the direct map has all RAM: no key but its own, and nothing is missing.
TEST(audit, direct_map_leaves)
{
    NEEDS_DIRECT_MAP();
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    uintptr_t at = (uintptr_t)page_direct_map_address(page);
    unsigned level = planted_level(at);
    bool found = planted_is_found(at, level, PTE_KEY_MASK, PTE_KEY(KEY_TABLES),
                                  AUDIT_DIRECT_KEY) &&
                 planted_is_found(at, level, ~0ull, 0, AUDIT_DIRECT_LOST) &&
                 planted_is_found(at, level, PTE_ADDRESS & ~(GIB(1) - 1),
                                  GIB(1), AUDIT_DIRECT_ADDRESS);
    free_page(page);
    CHECK(found);
}

// Where it has none: nothing is left behind there.
TEST(audit, direct_map_is_empty)
{
    if (engine_has_direct_map()) {
        SKIP("the direct map has all RAM");
    }
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    uintptr_t at = (uintptr_t)page_direct_map_address(page);
    uint64_t leaf = page_to_phys(page) | PTE_P | PTE_A | ALIAS_DATA;
    bool found;
    if (test_engine()->brackets_are_direct) { // its tables are there to stay
        found = planted_is_found(at, 1, 0, leaf, AUDIT_DIRECT_OPEN);
    } else {
        found =
            mapped_is_found(at, page_to_phys(page), ALIAS_DATA,
                            AUDIT_DIRECT_OPEN) &&
            mapped_is_found(at, page_to_phys(page), PTE_XD, AUDIT_DIRECT_OPEN);
    }
    free_page(page);
    CHECK(found);
}

// Where there are keys: with another than 0 nothing could be read any more, by
// anybody. Where there are none: its leaf is read-only.
TEST(audit, unkeyed_table)
{
    NEEDS_REFUSALS();
    uintptr_t at = engine->tables_base + pt_root();
    uint64_t clear = test_engine()->keys ? PTE_KEY_MASK : 0;
    uint64_t set = test_engine()->keys ? 0 : PTE_RW;
    CHECK(planted_is_found(at, planted_level(at), clear, set, AUDIT_TABLE_KEY));
}

TEST(audit, open_key)
{
    unsigned key = KEY_DOMAINS;
    pks_set_rights(PKRS_CLOSED & ~PKRS_WD(key) & ~PKRS_AD(key));
    bool found = planted_audit_names(AUDIT_RIGHTS);
    pks_set_rights(PKRS_CLOSED & ~PKRS_AD(KEY_CLOSED));
    found = found && planted_audit_names(AUDIT_RIGHTS);
    // The soft copy says open, the register is closed.
    pks_set_rights(PKRS_CLOSED);
    percpu.bracket_top[-1].rights = PKRS_CLOSED & ~PKRS_WD(key);
    found = found && planted_audit_names(AUDIT_RIGHTS);
    pks_set_rights(PKRS_CLOSED);
    CHECK(found);
    CHECK(planted_audit_is_content());
}

TEST(audit, shared_leaves)
{
    struct page *page = alloc_page(domain_ram), *other = alloc_page(domain_ram);
    CHECK(page != NULL && other != NULL);
    uintptr_t kmapped = KMAP_BASE + page_to_phys(page);
    bool found =
        mapped_is_found(kmapped, page_to_phys(page), ALIAS_DATA, AUDIT_KMAP);
    kmap(page);
    found = found &&
            planted_is_found(kmapped, 1, ~0ull, 0, AUDIT_KMAP_COUNTS) &&
            planted_is_found(kmapped, 1, PTE_ADDRESS, page_to_phys(other),
                             AUDIT_KMAP) &&
            planted_is_found(kmapped, 1, 0, PTE_KEY(3), AUDIT_ALIAS_KEY);
    kunmap(page);
    struct page *pages[] = {page, page};
    void *area = vmap(pages, 2, MAP_READ);
    uintptr_t at = (uintptr_t)area;
    found =
        found && planted_is_found(at, 1, ~0ull, 0, AUDIT_VMAP_COUNTS) &&
        planted_is_found(at, 1, PTE_ADDRESS, page_to_phys(other), AUDIT_VMAP) &&
        planted_is_found(at, 1, PTE_XD, 0, AUDIT_EXECUTABLE) &&
        planted_is_found(at - PAGE_SIZE, 1, 0,
                         page_to_phys(page) | PTE_P | PTE_XD, AUDIT_VMAP);
    page->private_next += LONG_VMAP_ONE;
    found = found && planted_audit_names(AUDIT_VMAP_COUNTS);
    page->private_next -= LONG_VMAP_ONE;
    vunmap(area);
    free_page(page);
    free_page(other);
    CHECK(found);
    CHECK(planted_audit_is_content());
}

TEST(audit, window_leaf)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    void *local = kmap_local_pages(&page, 1);
    uint64_t *entry = (uint64_t *)bracket_innermost()->backing;
    uint64_t leaf = planted_entry_read(entry);
    // Where windows are out of the walk's reach, their leaves are counted.
    unsigned wrong_key =
        engine->window_key == KEY_KERNEL ? KEY_WINDOW : KEY_KERNEL;
    planted_entry_write(entry,
                        engine->window_leaves != NULL
                            ? 0
                            : (leaf & ~PTE_KEY_MASK) | PTE_KEY(wrong_key));
    bool found = planted_audit_names(AUDIT_WINDOW);
    planted_entry_write(entry, leaf);
    found = found && planted_audit_is_content();
    kunmap_local(local);
    planted_entry_write(entry, leaf);
    found = found && planted_audit_names(AUDIT_WINDOW);
    planted_entry_write(entry, 0);
    found = found && planted_audit_is_content();
    free_page(page);
    CHECK(found);
}

TEST(audit, guard_page)
{
    extern char stack_boot_bottom[], stack_boot_top[];
    const uintptr_t guards[] = {
        (uintptr_t)stack_boot_bottom - STACK_GUARD_SIZE,
        (uintptr_t)stack_boot_top,
    };
    for (unsigned i = 0; i < ARRAY_SIZE(guards); i++) {
        uintptr_t at = guards[i];
        CHECK(planted_is_found(at, 1, 0,
                               (at - KERNEL_BASE) | PTE_P | PTE_A | ALIAS_DATA,
                               AUDIT_GUARD));
    }
}

TEST(audit, kernel_regions)
{
    struct page *page = alloc_page(domain_ram);
    void *object = kmalloc(2 * PAGE_SIZE);
    CHECK(page != NULL && object != NULL);
    uintptr_t at = (uintptr_t)object, device = DEVICE_REGION_BASE + KIB(64);
    CHECK(planted_is_found(at, 1, PTE_ADDRESS, page_to_phys(page), AUDIT_OWN) &&
          planted_is_found(at, 1, PTE_RW, 0, AUDIT_OWN) &&
          planted_is_found(at, 1, ~0ull, 0, AUDIT_OWN_LOST) &&
          mapped_is_found(device, 0xfee00000, ALIAS_DATA, AUDIT_DEVICE) &&
          mapped_is_found(device, page_to_phys(page),
                          ALIAS_DATA | PTE_PCD | PTE_PWT, AUDIT_DEVICE));
    kfree(object);
    free_page(page);
}

TEST(audit, frame_table)
{
    struct domain *domain = domain_create("audit");
    struct page *page = alloc_pages(domain, 2);
    CHECK(page != NULL);
    bool found =
        CHANGED_IS_FOUND(page[1].private_domain, DOMAIN_RAM, AUDIT_FRAME) &&
        CHANGED_IS_FOUND(page[0].private_order, 1, AUDIT_FRAME) &&
        CHANGED_IS_FOUND(page[0].private_order, 99, AUDIT_FRAME) &&
        CHANGED_IS_FOUND(page[3].private_state, FRAME_FREE, AUDIT_FRAME) &&
        CHANGED_IS_FOUND(page[0].private_state, FRAME_HEAD | FRAME_FREE,
                         AUDIT_FRAME) &&
        CHANGED_IS_FOUND(domain->frames, 5, AUDIT_DOMAIN_FRAMES) &&
        (!test_engine()->keys ||
         CHANGED_IS_FOUND(domain->open_write, ~0u, AUDIT_DOMAIN_KEY)) &&
        CHANGED_IS_FOUND(domain_read_[domain->id].keep, 0, AUDIT_DOMAIN_KEY);
    free_pages(page, 2);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(found);
    CHECK(planted_audit_is_content());
}

TEST(audit, free_lists)
{
    struct domain *domain = domain_create("audit");
    struct page *page = alloc_page(domain);
    CHECK(page != NULL);
    // Its buddy, which the domain keeps on a list for order 0.
    struct page *buddy = phys_to_page(page_to_phys(page) ^ PAGE_SIZE);
    CHECK(buddy->private_state & FRAME_FREE);
    bool found = CHANGED_IS_FOUND(domain->area.head[0], 0, AUDIT_FREE_LIST) &&
                 CHANGED_IS_FOUND(domain->area.nonempty, 0, AUDIT_FREE_LIST) &&
                 CHANGED_IS_FOUND(buddy->private_next, domain->area.head[0],
                                  AUDIT_FREE_LIST) &&
                 CHANGED_IS_FOUND(buddy->private_prev, 77, AUDIT_FREE_LIST) &&
                 CHANGED_IS_FOUND(buddy->private_state, 0, AUDIT_FREE_LIST) &&
                 CHANGED_IS_FOUND(buddy->private_domain,
                                  DOMAIN_POOL | DOMAIN_FREE, AUDIT_POOL_BYTES);
    free_page(page);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(found);
    CHECK(planted_audit_is_content());
}
