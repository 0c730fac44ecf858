// SPDX-License-Identifier: MIT
//
// Nothing is enforced: a direct map of all RAM with key 0, page tables
// included, as a conventional kernel has it. Brackets are kept account of.
#include "arch/pks.h"
#include "arch/tlb.h"
#include "arch/trap.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/local_window.h"
#include "mm/pagetable.h"
#include "mm/watch.h"

// The calls are bound by what they clobber; this is nothing.
static void rights_ignore(void)
{
}

static void init_cpu(void)
{
    tlb_flush_all(); // of what was there before
    percpu.bracket_top[-1].rights = PKRS_CLOSED;
}

static int rekey_locked(phys_addr_t block, unsigned order, unsigned key)
{
    (void)block;
    (void)order;
    (void)key;
    return 0;
}

// No bit of the rights has to be clear.
static const struct domain_rights to_all = {0, ~0u};

static void domain_begin_locked(struct domain *domain)
{
    domain_rights_put(domain->id, &to_all, &to_all, ~0u);
}

static void domain_end_locked(struct domain *domain)
{
    domain_rights_set(domain->id, 0, 0);
}

static bool domain_open(struct domain *domain)
{
    (void)domain;
    return false; // scattered frames have a window without a key
}

static void fill_begin(struct frame_filler *filler, struct domain *domain)
{
    filler->domain = domain;
}

static void *fill_frame(struct frame_filler *filler, struct page *page)
{
    (void)filler;
    return (void *)page_direct_address(page);
}

static void fill_frame_end(struct frame_filler *filler, void *address)
{
    (void)filler;
    (void)address;
}

static void fill_end(struct frame_filler *filler)
{
    (void)filler;
}

static bool rights_hold(uint64_t *is, uint64_t *wanted)
{
    *is = pks_rights();
    *wanted = PKRS_CLOSED;
    return brackets_depth() != 0 || *is == *wanted;
}

static bool direct_leaf_is_right(uint64_t leaf, unsigned key)
{
    (void)key;
    return leaf != 0 && pte_key(leaf) == KEY_KERNEL;
}

static bool domain_is_right(const struct domain *domain)
{
    return domain->key == 0 && domain_fill_[domain->id] == ~0u &&
           domain_rights_equal(&domain_write_[domain->id], &to_all) &&
           domain_rights_equal(&domain_read_[domain->id], &to_all);
}

const struct engine engine_open = {
    .name = "open",
    .how = "a direct map that is never closed",
    .id = PROTECT_OPEN,
    .call = {[ENGINE_CALL_RIGHTS] = rights_ignore},
    .trap_entry = trap_entry_plain,
    .direct_leaf =
        {
            [DIRECT_FREE] = DIRECT_RW,
            [DIRECT_IMAGE] = DIRECT_RO,
            [DIRECT_TABLES] = DIRECT_RW,
        },
    .tables_base = DIRECT_MAP_BASE,
    .window_key = KEY_KERNEL,
    .init_cpu = init_cpu,
    .rekey_locked = rekey_locked,
    .domain_begin_locked = domain_begin_locked,
    .domain_end_locked = domain_end_locked,
    .domain_open = domain_open,
    .fill_begin = fill_begin,
    .fill_frame = fill_frame,
    .fill_frame_end = fill_frame_end,
    .fill_end = fill_end,
    .window_make_locked = shared_window_make_locked,
    .watch_direct = watch_leaves,
    .rights_hold = rights_hold,
    .direct_leaf_is_right = direct_leaf_is_right,
    .domain_is_right = domain_is_right,
};
