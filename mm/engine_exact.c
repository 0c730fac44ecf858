// SPDX-License-Identifier: MIT
//
// No direct map: RAM is not mapped until it is asked for. A bracket is entries
// of the running context's window (mm/exact.h), which no other thread and no
// handler can reach. Page tables are mapped read-only, and written with CR0.WP
// clear. Runs on any x86-64 CPU.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/tlb.h"
#include "lib/panic.h"
#include "mm/engine.h"
#include "mm/exact.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"
#include "mm/tables_only.h"
#include "mm/watch.h"

// In mm/exact.asm.
void exact_map(void);
void exact_map_range(void);
void exact_unmap(void);
void trap_entry_exact(void);

// What a map call keeps of the rights picks the kind of leaf (exact_leaf_of).
#define KEEP_TO_WRITE 4
#define KEEP_TO_READ 8

static void init_cpu(void)
{
    ASSERT(cpu_read_cr0() == CR0_KERNEL);
    percpu.bracket_top[-1].rights = PKRS_CLOSED;
    if (percpu.exact != NULL) {
        exact_cpu_begin();
    } else {
        exact_cpu_none(handler_brackets_boot());
    }
}

static void windows_begin(void)
{
    if (!exact_cpu_make(percpu.self, handler_brackets_boot())) {
        refuse("no page tables for the windows of handlers; give the machine "
               "at least 32 MiB (qemu -m 32M)");
    }
    exact_cpu_begin();
}

static const struct domain_rights to_write = {~0u, KEEP_TO_WRITE};
static const struct domain_rights to_read = {~0u, KEEP_TO_READ};

static void domain_begin_locked(struct domain *domain)
{
    domain_rights_put(domain->id, &to_write, &to_read, 0);
}

static void domain_end_locked(struct domain *domain)
{
    domain_rights_set(domain->id, 0, 0);
}

// Map calls that look at nothing would give a leaf that is not closed.
static void watch_domain_locked(struct domain *domain, bool watched)
{
    if (watched) {
        domain_rights_set(domain->id, 0, 0);
    } else {
        domain_begin_locked(domain);
    }
}

static bool domain_open(struct domain *domain)
{
    (void)domain;
    return false;
}

// ------------------------------------------------------- Filling frames, one
// page for each thread. Meanwhile its rights say that it has something open.

static void fill_begin(struct frame_filler *filler, struct domain *domain)
{
    filler->domain = domain;
    filler->rights = pks_rights();
}

static void fill_entry_write(uint64_t value)
{
    uint32_t rights = window_open(WINDOW_WRITE);
    *(volatile uint64_t *)exact_fill_entry() = value;
    percpu_count(pte_writes);
    window_close(rights);
}

static void *fill_frame(struct frame_filler *filler, struct page *page)
{
    pks_set_rights(filler->rights - RIGHTS_ONE_BRACKET);
    fill_entry_write(page_to_phys(page) | PTE_P | PTE_RW | PTE_A | PTE_D |
                     PTE_XD);
    return (void *)exact_fill_address();
}

static void fill_frame_end(struct frame_filler *filler, void *address)
{
    fill_entry_write(0);
    tlb_flush_page((uintptr_t)address);
    pks_set_rights(filler->rights);
}

static void fill_end(struct frame_filler *filler)
{
    (void)filler;
}

// -------------------------------------------------------------------- Reports

static void bracket_abandon(struct bracket *bracket)
{
    size_t count = bracket_frames(bracket);
    if (count > EXACT_SLOT_FRAMES) {
        return; // never begun: more are special
    }
    uint32_t rights = window_open(WINDOW_WRITE);
    local_window_unmap(bracket->window_entry, bracket->window_address, count);
    window_close(rights);
}

static bool rights_hold(uint64_t *is, uint64_t *wanted)
{
    *wanted = CR0_KERNEL;
    *is = cpu_read_cr0();
    return *is == *wanted &&
           (brackets_depth() != 0 || pks_rights() == PKRS_CLOSED);
}

static bool direct_leaf_is_right(uint64_t leaf, unsigned key)
{
    (void)key;
    return leaf == 0;
}

static bool domain_is_right(const struct domain *domain)
{
    const struct domain_rights *write = &domain_write_[domain->id];
    const struct domain_rights *read = &domain_read_[domain->id];
    if (watch_has_domain(domain)) {
        return write->keep == 0 && read->keep == 0;
    }
    return domain->key == 0 && domain_fill_[domain->id] == 0 &&
           domain_rights_equal(write, &to_write) &&
           domain_rights_equal(read, &to_read);
}

const struct engine engine_exact = {
    .name = "exact",
    .how = "page-table windows, no direct map",
    .id = PROTECT_EXACT,
    .call =
        {
            [ENGINE_CALL_MAP] = exact_map,
            [ENGINE_CALL_MAP_RANGE] = exact_map_range,
            [ENGINE_CALL_UNMAP] = exact_unmap,
            [ENGINE_CALL_RIGHTS] = tables_rights_write,
        },
    .trap_entry = trap_entry_exact,
    .tables_base = TABLES_MAP_BASE,
    .window_key = KEY_KERNEL,
    .init_cpu = init_cpu,
    .prepare_cpu = exact_cpu_make,
    .rekey_locked = tables_only_rekey_locked,
    .domain_begin_locked = domain_begin_locked,
    .domain_end_locked = domain_end_locked,
    .domain_open = domain_open,
    .fill_begin = fill_begin,
    .fill_frame = fill_frame,
    .fill_frame_end = fill_frame_end,
    .fill_end = fill_end,
    .window_make_locked = exact_window_make_locked,
    .windows_begin = windows_begin,
    .switch_from = exact_switch_from,
    .switch_to = exact_switch_to,
    .abandon_above = exact_abandon_above,
    .bracket_abandon = bracket_abandon,
    .entry = exact_entry,
    .leaf = exact_leaf,
    .watch_domain_locked = watch_domain_locked,
    .window_tables = exact_tables,
    .window_leaves = exact_leaves,
    .root = exact_root,
    .rights_hold = rights_hold,
    .direct_leaf_is_right = direct_leaf_is_right,
    .domain_is_right = domain_is_right,
};
