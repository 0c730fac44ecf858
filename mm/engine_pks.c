// SPDX-License-Identifier: MIT
//
// Protection keys: a direct map of all RAM, closed by key; a bracket writes
// IA32_PKRS. What the calls of the hot paths are compiled for.
#include "arch/pks.h"

#include "arch/cpu.h"
#include "arch/pte.h"
#include "arch/trap.h"
#include "mm/context.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/frames_internal.h"
#include "mm/keys.h"
#include "mm/local_window.h"
#include "mm/misuse.h"
#include "mm/pagetable.h"
#include "mm/watch.h"

static const enum cpu_feature pks_feature = CPU_FEATURE_PKS;

static void domain_begin_locked(struct domain *domain)
{
    if (keys_free() != 0) {
        key_get_locked(domain);
    }
}

static void fill_begin(struct frame_filler *filler, struct domain *domain)
{
    filler->domain = domain;
    filler->rights = pks_rights();
    if (key_pin(domain, &filler->pinned)) {
        pks_set_rights(filler->rights & ~domain->open_write);
    }
}

// Where every key is open already, through the window.
static void *fill_frame(struct frame_filler *filler, struct page *page)
{
    return filler->pinned ? (void *)page_direct_address(page)
                          : bracket_map_page(page, true, CALL_SITE());
}

static void fill_frame_end(struct frame_filler *filler, void *address)
{
    if (!filler->pinned) {
        kunmap_local(address);
    }
}

static void fill_end(struct frame_filler *filler)
{
    if (filler->pinned) {
        pks_set_rights(filler->rights);
        key_unpin(filler->domain, &filler->pinned);
    }
}

static void fill_abandon(struct frame_filler *filler, struct bracket *slot)
{
    if (filler->pinned) {
        slot->rights = filler->rights;
        key_unpin(filler->domain, &filler->pinned);
    }
}

static int fix_locked(phys_addr_t base, uint64_t length, unsigned key)
{
    struct tlb_batch batch;
    batch.count = 0;
    pt_rekey_locked(DIRECT_MAP_BASE + base, length, key, &batch);
    tlb_shootdown_batch(&batch);
    return 0;
}

static bool rights_hold(uint64_t *is, uint64_t *wanted)
{
    *wanted = pks_rights();
    *is = cpu_read_msr(MSR_IA32_PKRS);
    return *is == *wanted && (*wanted & ~PKRS_CLOSED) == 0 &&
           (cpu_read_cr4() & CR4_PKS);
}

// A watch without a key of its own takes P or RW, as in all other leaves; the
// domain may have got another key meanwhile.
static void watch_direct(const struct watch *watch, uint64_t *entry,
                         uintptr_t address, size_t count, bool begin,
                         struct tlb_batch *batch)
{
    if (begin && watch->own == NULL) {
        watch_leaves(watch, entry, address, count, true, batch);
        return;
    }
    unsigned key =
        begin ? watch->own->key : domain_leaf_key(page_domain(watch->first));
    uint64_t bits = PTE_KEY(key) | (begin ? PTE_OWN_KEY : 0);
    for (; count > 0; count--, entry++, address += PAGE_SIZE) {
        *(volatile uint64_t *)entry =
            (pte_unwatched(*entry) & ~PTE_KEY_MASK) | bits;
        percpu_count(pte_writes);
        tlb_batch_add(batch, address);
    }
}

static bool direct_leaf_is_right(uint64_t leaf, unsigned key)
{
    return leaf != 0 && pte_key(leaf) == key;
}

static bool domain_is_right(const struct domain *domain)
{
    const struct domain_rights *write = &domain_write_[domain->id];
    const struct domain_rights *read = &domain_read_[domain->id];
    if (domain->key == 0) {
        return domain->open_write == 0 && domain->open_read == 0 &&
               write->keep == 0 && read->keep == 0 && write->open == ~0u &&
               read->open == ~0u && domain_fill_[domain->id] == 0;
    }
    return domain->key >= KEY_DOMAINS && domain->key < PKS_KEYS &&
           domain->open_write == PKRS_KEY_MASK(domain->key) &&
           domain->open_read == PKRS_AD(domain->key) &&
           write->open == domain->open_write &&
           write->keep == ~domain->open_write &&
           read->open == domain->open_read &&
           read->keep == ~domain->open_read &&
           domain_fill_[domain->id] == write->keep;
}

const struct engine engine_pks = {
    .name = "pks",
    .how = "protection keys for supervisor pages",
    .id = PROTECT_PKS,
    .needs = &pks_feature,
    .needs_what = "protection keys for supervisor pages",
    .trap_entry = trap_entry_pks,
    .direct_leaf =
        {
            [DIRECT_FREE] = DIRECT_RW | PTE_KEY(KEY_CLOSED),
            [DIRECT_IMAGE] = DIRECT_RO | PTE_KEY(KEY_CLOSED),
            [DIRECT_TABLES] = DIRECT_RW | PTE_KEY(KEY_TABLES),
        },
    .tables_base = DIRECT_MAP_BASE,
    .window_key = KEY_WINDOW,
    .counts_pkrs = true,
    .init_cpu = pks_init_cpu,
    .rekey_locked = direct_rekey_locked,
    .fix_locked = fix_locked,
    .domain_begin_locked = domain_begin_locked,
    .domain_end_locked = key_take_locked,
    .domain_open = key_get,
    .fill_begin = fill_begin,
    .fill_frame = fill_frame,
    .fill_frame_end = fill_frame_end,
    .fill_end = fill_end,
    .fill_abandon = fill_abandon,
    .window_make_locked = shared_window_make_locked,
    .watch_direct = watch_direct,
    .rights_hold = rights_hold,
    .direct_leaf_is_right = direct_leaf_is_right,
    .domain_is_right = domain_is_right,
};
