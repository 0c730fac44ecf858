// SPDX-License-Identifier: MIT
//
// The audit against faults of which only a part is wrong, and against a CPU
// that does not protect.
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "arch/pks.h"
#include "arch/pte.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/image.h"
#include "mm/pagetable.h"
#include "tests/alias.h"
#include "tests/engines.h"
#include "tests/planted.h"

TEST(audit, protections_off)
{
    uint64_t cr0 = cpu_read_cr0(), cr4 = cpu_read_cr4();
    cpu_write_cr0(cr0 & ~CR0_WP);
    bool found = planted_audit_names(AUDIT_PROTECTIONS);
    cpu_write_cr0(cr0);
    if (cpu_has(CPU_FEATURE_SMEP)) {
        cpu_write_cr4(cr4 & ~CR4_SMEP);
        found = found && planted_audit_names(AUDIT_PROTECTIONS);
        cpu_write_cr4(cr4);
    }
    if (cpu_has(CPU_FEATURE_SMAP)) {
        cpu_write_cr4(cr4 & ~CR4_SMAP);
        found = found && planted_audit_names(AUDIT_PROTECTIONS);
        cpu_write_cr4(cr4);
    }
    CHECK(found);
    CHECK(planted_audit_is_content());
}

TEST(audit, upper_entries)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    uintptr_t at = (uintptr_t)kmap(page);
    // A frame that can be read is no table either.
    const void *open = kmap_local_page(page);
    bool found =
        planted_is_found(at, 2, PTE_ADDRESS, page_to_phys(page), AUDIT_TABLE);
    kunmap_local(open);
    found = found && planted_is_found(at, 2, 0, PTE_PCD, AUDIT_BITS) &&
            planted_is_found(at, 3, 0, PTE_XD, AUDIT_BITS) &&
            planted_is_found(at, 2, 0, PTE_KEY(3), AUDIT_BITS) &&
            planted_is_found(at, 4, 0, PTE_US, AUDIT_BITS);
    kunmap(page);
    free_page(page);
    CHECK(found);
}

// A leaf of 2 MiB that begins in the middle of one, and one that is behind all
// memory that the CPU can name.
TEST(audit, large_leaves)
{
    struct page *block = alloc_pages(domain_ram, 9);
    if (block == NULL) {
        SKIP("no 2 MiB of contiguous memory");
    }
    // Where there is no direct map, a range of vmap() stands for it.
    void *area = vmap_range(page_to_phys(block), MIB(2), MAP_READ);
    CHECK(area != NULL);
    uintptr_t at = engine_has_direct_map()
                       ? (uintptr_t)page_direct_map_address(block)
                       : (uintptr_t)area;
    bool found = true;
    if (planted_level(at) == 2) {
        found = planted_is_found(at, 2, 0, BIT(13), AUDIT_BITS);
    }
    if (cpu_physical_bits() < 52) {
        found = found && planted_is_found(at, planted_level(at), 0,
                                          BIT(cpu_physical_bits()), AUDIT_BITS);
    }
    vunmap(area);
    free_pages(block, 9);
    CHECK(found);
}

TEST(audit, uncached_memory)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    uintptr_t at = (uintptr_t)page_direct_map_address(page);
    bool found =
        !engine_has_direct_map() ||
        planted_is_found(at, planted_level(at), 0, PTE_PCD, AUDIT_BITS);
    at = (uintptr_t)kmap(page);
    found = found && planted_is_found(at, 1, 0, PTE_PCD, AUDIT_KMAP);
    kunmap(page);
    free_page(page);
    CHECK(found);
}

// A page of the image that shows another frame of the image: slots of handlers
// that nest deep, which nobody uses now.
TEST(audit, image_place)
{
    const struct bracket_level *deep = &handler_brackets_boot()->level[10];
    uintptr_t at = ALIGN_UP((uintptr_t)deep, PAGE_SIZE);
    uintptr_t other = at + PAGE_SIZE - KERNEL_BASE;
    CHECK(planted_is_found(at, 1, PTE_ADDRESS, other, AUDIT_IMAGE));
    CHECK(planted_is_found(at, 1, PTE_RW, 0, AUDIT_IMAGE));
}

// A leaf of kmap() with another frame, of which nobody can say that it is not
// mapped.
TEST(audit, kmap_of_another_frame)
{
    struct page *page = alloc_page(domain_ram), *other = alloc_page(domain_ram);
    CHECK(page != NULL && other != NULL);
    uintptr_t at = (uintptr_t)kmap(page);
    CHECK(kmap(other) != NULL);
    bool found =
        planted_is_found(at, 1, PTE_ADDRESS, page_to_phys(other), AUDIT_KMAP);
    kunmap(other);
    kunmap(page);
    free_page(other);
    free_page(page);
    CHECK(found);
}

// The register and the word beside it, each wrong alone.
TEST(audit, register_and_word)
{
    NEEDS_PKS();
    uint32_t open = PKRS_CLOSED & ~PKRS_AD(KEY_DOMAINS);
    pks_write_msr_now(open);
    bool found = planted_audit_names(AUDIT_RIGHTS);
    pks_load_rights();
    CHECK(found);
    CHECK(planted_audit_is_content());
}

// A block that a domain keeps for later: free as a whole, and of a domain that
// there is.
TEST(audit, free_blocks)
{
    struct domain *domain = domain_create("audit");
    struct page *block = alloc_pages(domain, 4);
    CHECK(block != NULL);
    free_pages(block, 3 + 1);
    struct page *head = block;
    while (!(head->private_state & FRAME_HEAD)) {
        head--; // it was joined with what is before it
    }
    bool found =
        head->private_order > 0 &&
        CHANGED_IS_FOUND(head[1].private_state, FRAME_ALLOCATED, AUDIT_FRAME);
    struct domain *gone = domain_create("gone");
    CHECK(gone != NULL);
    unsigned id = gone->id;
    CHECK_EQ(domain_destroy(gone), 0);
    found =
        found &&
        CHANGED_IS_FOUND(head->private_domain, id | DOMAIN_FREE, AUDIT_FRAME) &&
        CHANGED_IS_FOUND(head->private_prev, 77, AUDIT_FREE_LIST);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(found);
    CHECK(planted_audit_is_content());
}

// A block of an order that there is not, and a domain whose rights are those of
// another key, in every place where they are written down.
TEST(audit, orders_and_keys)
{
    struct domain *domain = domain_create("audit");
    struct page *page = alloc_page(domain);
    CHECK(page != NULL);
    bool found = CHANGED_IS_FOUND(page->private_order, 64, AUDIT_FRAME);
    if (!test_engine()->keys) {
        free_page(page);
        CHECK_EQ(domain_destroy(domain), 0);
        CHECK(found);
        SKIP("its keys need pks");
    }
    kunmap_local(kmap_local_page(page)); // it has a key now
    unsigned other = domain->key == KEY_DOMAINS ? KEY_DOMAINS + 1 : KEY_DOMAINS;
    domain_rights_set(domain->id, PKRS_KEY_MASK(other), domain->open_read);
    found = found && CHANGED_IS_FOUND(domain->open_write, PKRS_KEY_MASK(other),
                                      AUDIT_DOMAIN_KEY);
    domain_rights_set(domain->id, domain->open_write, PKRS_AD(other));
    found = found && CHANGED_IS_FOUND(domain->open_read, PKRS_AD(other),
                                      AUDIT_DOMAIN_KEY);
    domain_rights_set(domain->id, domain->open_write, domain->open_read);
    free_page(page);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(found);
    CHECK(planted_audit_is_content());
}

// Each word of what a domain's brackets look up.
TEST(audit, rights_of_a_domain)
{
    struct domain *domain = domain_create("audit");
    CHECK(domain != NULL);
    struct domain_rights *write = &domain_write_[domain->id],
                         *read = &domain_read_[domain->id];
    bool found =
        CHANGED_IS_FOUND(write->keep, ~0xcu, AUDIT_DOMAIN_KEY) &&
        CHANGED_IS_FOUND(write->open, 0xcu, AUDIT_DOMAIN_KEY) &&
        CHANGED_IS_FOUND(read->keep, ~0xcu, AUDIT_DOMAIN_KEY) &&
        CHANGED_IS_FOUND(read->open, 0xcu, AUDIT_DOMAIN_KEY) &&
        CHANGED_IS_FOUND(domain_fill_[domain->id], 0xcu, AUDIT_DOMAIN_KEY);
    CHECK_EQ(domain_destroy(domain), 0);
    CHECK(found);
    CHECK(planted_audit_is_content());
}

// Rights where nobody is to have any: of a domain without a key, of frames
// that are free, and of numbers that no domain has.
TEST(audit, rights_of_nobody)
{
    struct domain *domains[PKS_KEYS], *parked = NULL;
    for (unsigned i = 0; i < PKS_KEYS; i++) {
        domains[i] = domain_create("audit");
        CHECK(domains[i] != NULL);
        parked = domains[i]->key == 0 ? domains[i] : parked;
    }
    CHECK(parked != NULL);
    struct domain_rights *write = &domain_write_[parked->id];
    bool found =
        CHANGED_IS_FOUND(write->keep, ~0xcu, AUDIT_DOMAIN_KEY) &&
        CHANGED_IS_FOUND(write->open, 0xcu, AUDIT_DOMAIN_KEY) &&
        (!test_engine()->keys ||
         CHANGED_IS_FOUND(parked->open_write, 0xcu, AUDIT_DOMAIN_KEY)) &&
        CHANGED_IS_FOUND(domain_read_[DOMAIN_RAM | DOMAIN_FREE].keep, ~0xcu,
                         AUDIT_DOMAIN_KEY) &&
        CHANGED_IS_FOUND(domain_write_[DOMAIN_POOL].keep, ~0xcu,
                         AUDIT_DOMAIN_KEY);
    for (unsigned i = 0; i < PKS_KEYS; i++) {
        CHECK_EQ(domain_destroy(domains[i]), 0);
    }
    CHECK(found);
    CHECK(planted_audit_is_content());
}
