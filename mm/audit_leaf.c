// SPDX-License-Identifier: MIT
//
// What a leaf may be: rules for all of them, and those of each region.
#include "arch/pte.h"
#include "arch/trap.h"
#include "mm/audit_internal.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/image.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/long_maps.h"
#include "mm/section.h"
#include "mm/stack.h"
#include "mm/vmap_slots.h"

#define RIGHTS (PTE_RW | PTE_XD)
#define UNCACHED (PTE_PCD | PTE_PWT)
// What a leaf may have set beside its address, key and (if it is large) PS.
#define LEAF_BITS (PTE_P | RIGHTS | UNCACHED | PTE_A | PTE_D)

static void leaf_find(struct audit *audit, enum audit_rule rule,
                      const struct audit_leaf *leaf)
{
    audit_find(audit, rule, leaf->address, leaf->entry, 0);
}

// The struct page of a frame; NULL: not RAM, or in a section that nobody uses.
static const struct page *page_at(phys_addr_t physical)
{
    return section_is_ready(physical) ? frame_page(physical / PAGE_SIZE) : NULL;
}

static bool leaf_is_ram(const struct audit_leaf *leaf)
{
    return sections_memory_in(leaf->physical, leaf->size) == leaf->size;
}

// ------------------------------------------------------------------ By region

static void leaf_direct(struct audit *audit, const struct audit_leaf *leaf)
{
    bool whole = audit_direct_is_whole();
    audit->direct_bytes += leaf->size;
    if (whole ? pte_key(leaf->entry) == KEY_KERNEL &&
                    pte_key(engine->direct_leaf[DIRECT_FREE]) != KEY_KERNEL
              : !engine->direct_leaf_is_right(leaf->entry, KEY_CLOSED)) {
        leaf_find(audit, AUDIT_DIRECT_OPEN, leaf);
    }
    if (leaf->entry & UNCACHED) {
        leaf_find(audit, AUDIT_BITS, leaf);
    }
    if (leaf->address - DIRECT_MAP_BASE != leaf->physical ||
        !leaf_is_ram(leaf)) {
        leaf_find(audit, AUDIT_DIRECT_ADDRESS, leaf);
        return;
    }
    if (whole) {
        audit_frames(audit, leaf);
    }
}

static void leaf_kmap(struct audit *audit, const struct audit_leaf *leaf)
{
    const struct page *page = page_at(leaf->physical);
    if (leaf->address - KMAP_BASE != leaf->physical ||
        leaf->size != PAGE_SIZE || (leaf->entry & UNCACHED) || page == NULL ||
        !(page->private_state & FRAME_ALLOCATED) || !long_kmap_is_open(page)) {
        leaf_find(audit, AUDIT_KMAP, leaf);
        return;
    }
    audit->kmap.mapped += audit_hash(page_frame(page));
}

// Whether a frame knows that it is in a range.
static bool frame_knows(const struct page *page, const struct vmap_slot *slot)
{
    return slot_kind(slot) == VMAP_TAGGED
               ? page->private_prev == slot->tag
               : (long_counts(page) & LONG_VMAP_MASK) != 0;
}

static void leaf_vmap(struct audit *audit, const struct audit_leaf *leaf)
{
    const struct vmap_slot *slot = slot_around_locked(leaf->address);
    if (slot == NULL ||
        slot_around_locked(leaf->address + leaf->size - 1) != slot) {
        leaf_find(audit, AUDIT_VMAP, leaf); // the guards are in no range
        return;
    }
    audit->areas.mapped += leaf->size / PAGE_SIZE * audit_hash((uintptr_t)slot);
    if (sections_memory_in(leaf->physical, leaf->size) == 0) {
        return; // a device
    }
    for (uint64_t at = 0; at < leaf->size; at += PAGE_SIZE) {
        const struct page *page = page_at(leaf->physical + at);
        if (page == NULL || !(page->private_state & FRAME_ALLOCATED) ||
            !frame_knows(page, slot)) {
            leaf_find(audit, AUDIT_VMAP, leaf);
            return;
        }
        audit->vmap.mapped +=
            slot_kind(slot) == VMAP_TAGGED ? 0 : audit_hash(page_frame(page));
    }
}

// A leaf of a thread's window has its frame's key, or that of all windows, and
// an open bracket.
static void leaf_window(struct audit *audit, const struct audit_leaf *leaf)
{
    const struct page *page = page_at(leaf->physical);
    if (brackets_open() == 0 || leaf->size != PAGE_SIZE ||
        (leaf->entry & UNCACHED) || page == NULL ||
        !(page->private_state & FRAME_ALLOCATED) ||
        (pte_key(leaf->entry) != engine->window_key &&
         pte_key(leaf->entry) != domain_of_id(page->private_domain)->key)) {
        leaf_find(audit, AUDIT_WINDOW, leaf);
    }
}

// Count the frames that a region of the kernel's own maps.
static void own_count(struct audit *audit, const struct audit_leaf *leaf)
{
    for (uint64_t at = 0; at < leaf->size; at += PAGE_SIZE) {
        const struct page *page = page_at(leaf->physical + at);
        if (page == NULL || page->private_state != FRAME_KERNEL) {
            leaf_find(audit, AUDIT_OWN, leaf);
            return;
        }
        audit->own.mapped += audit_hash(page_frame(page));
    }
}

static void leaf_own(struct audit *audit, const struct audit_leaf *leaf)
{
    if ((leaf->entry & (RIGHTS | UNCACHED)) != RIGHTS) {
        leaf_find(audit, AUDIT_OWN, leaf);
    }
    own_count(audit, leaf);
}

static void leaf_stack(struct audit *audit, const struct audit_leaf *leaf)
{
    if (!stack_owns_page(leaf->address) || leaf->size != PAGE_SIZE) {
        leaf_find(audit, AUDIT_GUARD, leaf);
    }
    leaf_own(audit, leaf);
}

// The rights that a page of the image must have; PTE_PS, which no page of it
// has, where there is no part of it.
static uint64_t image_rights(uintptr_t address)
{
    const char *at = (const char *)address;
    if (at >= __text_start && at < __text_end) {
        return 0;
    }
    if (at >= __data_start && at < __data_end) {
        bool sealed = at >= __ro_after_init_start && at < __ro_after_init_end;
        return sealed ? PTE_XD : PTE_RW | PTE_XD;
    }
    return at >= __rodata_start && at < __image_end ? PTE_XD : PTE_PS;
}

static void leaf_image(struct audit *audit, const struct audit_leaf *leaf)
{
    if (leaf->size != PAGE_SIZE ||
        leaf->address - KERNEL_BASE != leaf->physical ||
        (leaf->entry & (RIGHTS | UNCACHED)) != image_rights(leaf->address)) {
        leaf_find(audit, AUDIT_IMAGE, leaf);
    }
    if (stack_is_guard(leaf->address)) {
        leaf_find(audit, AUDIT_GUARD, leaf);
    }
    own_count(audit, leaf);
}

// Page tables are read-only there.
static void leaf_tables(struct audit *audit, const struct audit_leaf *leaf)
{
    const struct page *page = page_at(leaf->physical);
    if ((leaf->entry & (RIGHTS | UNCACHED)) != PTE_XD || page == NULL ||
        page->private_state != FRAME_TABLE ||
        leaf->address - TABLES_MAP_BASE != leaf->physical) {
        leaf_find(audit, AUDIT_TABLE_KEY, leaf);
    }
}

static void leaf_device(struct audit *audit, const struct audit_leaf *leaf)
{
    if (sections_memory_in(leaf->physical, leaf->size) != 0 ||
        (leaf->entry & UNCACHED) != UNCACHED) {
        leaf_find(audit, AUDIT_DEVICE, leaf);
    }
}

static void leaf_test(struct audit *audit, const struct audit_leaf *leaf)
{
    leaf_find(audit, AUDIT_TEST_REGION, leaf);
}

#define REGION(name, judge)                                                    \
    {                                                                          \
        name##_BASE, name##_SIZE, judge                                        \
    }

static const struct region {
    uintptr_t base;
    uint64_t size;
    void (*judge)(struct audit *audit, const struct audit_leaf *leaf);
} regions[] = {
    REGION(DIRECT_MAP, leaf_direct),   REGION(KMAP, leaf_kmap),
    REGION(VMAP, leaf_vmap),           REGION(TABLES_MAP, leaf_tables),
    REGION(TEST_REGION, leaf_test),    REGION(FRAME_TABLE, leaf_own),
    REGION(VMAP_SLOTS, leaf_own),      REGION(KMAP_SITES, leaf_own),
    REGION(HEAP_SLABS, leaf_own),      REGION(HEAP_HEADERS, leaf_own),
    REGION(HEAP_LARGE, leaf_own),      REGION(HEAP_STATES, leaf_own),
    REGION(STACKS, leaf_stack),        REGION(STACK_SLOTS, leaf_own),
    REGION(IMAGE_REGION, leaf_image),  REGION(DOMAIN_TABLE, leaf_own),
    REGION(DOMAIN_RIGHTS, leaf_own),   REGION(DOMAIN_FILL, leaf_own),
    REGION(TEST_SCRATCH, leaf_own),    REGION(DEVICE_REGION, leaf_device),
    REGION(BLOCK_TABLE, leaf_own),     REGION(LOCAL_WINDOWS, leaf_window),
    REGION(MORE_WINDOWS, leaf_window), REGION(MM_CONTEXTS, leaf_own),
};

// The region that holds all of a leaf, or NULL.
static const struct region *region_of(const struct audit_leaf *leaf)
{
    for (unsigned i = 0; i < ARRAY_SIZE(regions); i++) {
        uint64_t offset = leaf->address - regions[i].base;
        if (offset < regions[i].size &&
            leaf->size <= regions[i].size - offset) {
            return &regions[i];
        }
    }
    return NULL;
}

// ------------------------------------------------------------------- All
// leaves

// No byte is writable and executable, through any alias: what is executable is
// kernel text in its place, and the image's own leaves are the only ones that
// may write to the image.
static void rights_check(struct audit *audit, const struct audit_leaf *leaf,
                         bool in_image)
{
    bool writable = leaf->entry & PTE_RW, executable = !(leaf->entry & PTE_XD);
    phys_addr_t image = (uintptr_t)__text_start - KERNEL_BASE;
    phys_addr_t image_end = (uintptr_t)__image_end - KERNEL_BASE;
    if (writable && executable) {
        leaf_find(audit, AUDIT_WRITE_EXECUTE, leaf);
    }
    if (executable && !image_is_text(leaf->address)) {
        leaf_find(audit, AUDIT_EXECUTABLE, leaf);
    }
    if (writable && !in_image && leaf->physical < image_end &&
        image < leaf->physical + leaf->size) {
        leaf_find(audit, AUDIT_IMAGE_ALIAS, leaf);
    }
}

static void bits_check(struct audit *audit, const struct audit_leaf *leaf)
{
    uint64_t large = leaf->size > PAGE_SIZE ? PTE_PS : 0;
    if (leaf->address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE) {
        large |= engine->direct_bits;
    }
    if ((leaf->entry & ~(LEAF_BITS | PTE_KEY_MASK | PTE_ADDRESS | large)) ||
        !IS_ALIGNED(leaf->physical, leaf->size) ||
        leaf->physical + leaf->size > audit->physical_end) {
        leaf_find(audit, AUDIT_BITS, leaf);
    }
}

void audit_leaf(struct audit *audit, const struct audit_leaf *leaf)
{
    const struct region *region = region_of(leaf);
    audit->report->leaves++;
    bits_check(audit, leaf);
    rights_check(audit, leaf,
                 region != NULL && region->base == IMAGE_REGION_BASE);
    if (region == NULL) {
        leaf_find(audit,
                  leaf->address < DIRECT_MAP_BASE ? AUDIT_LOWER_HALF
                                                  : AUDIT_OUTSIDE,
                  leaf);
        return;
    }
    if (region->base != DIRECT_MAP_BASE && region->base != LOCAL_WINDOWS_BASE &&
        region->base != MORE_WINDOWS_BASE &&
        pte_key(leaf->entry) != KEY_KERNEL) {
        leaf_find(audit, AUDIT_ALIAS_KEY, leaf);
    }
    region->judge(audit, leaf);
}
