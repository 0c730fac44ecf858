// SPDX-License-Identifier: MIT
//
// A direct map whose leaves come and go: a bracket makes the leaves of its
// frames present and, when it was the last on a frame, absent again, with a
// flush on all CPUs: what set_direct_map() and XPFO do. For comparison: a frame
// that one thread has open is open to all.
//
// How many have a frame open, and how many of them to write, is in bits of its
// leaf that the CPU ignores while CR4.PKS and CR4.PKE are 0 (SDM 3A 4.5, table
// 4-20), so that one compare-and-exchange changes the counts and the leaf. In a
// handler only the CPU that closes forgets: it cannot wait for others.
#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/tlb.h"
#include "arch/trap.h"
#include "lib/panic.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/local_window.h"
#include "mm/pagetable.h"
#include "mm/pt_window.h"
#include "mm/tables_only.h"
#include "mm/watch.h"

// In mm/flip.asm, and what that calls.
void flip_map_call(void);
void flip_unmap_call(void);
void flip_map(struct bracket *slot, uint32_t kept);
void flip_unmap(const struct bracket *slot);

// What a map call keeps of the rights, and the slot's `backing` then.
#define KEEP_TO_WRITE 4
#define KEEP_TO_READ 8

// Openers in bits 58:52, writers in bits 62:59 and 11:9.
#define OPENERS_SHIFT 52
#define WRITERS_HIGH_SHIFT 59
#define WRITERS_LOW_SHIFT 9
#define COUNT_MAX 127

struct counts {
    unsigned openers, writers;
};

static struct counts counts_of(uint64_t entry)
{
    return (struct counts){
        .openers = entry >> OPENERS_SHIFT & COUNT_MAX,
        .writers = (entry >> WRITERS_HIGH_SHIFT & 15) << 3 |
                   (entry >> WRITERS_LOW_SHIFT & 7),
    };
}

// An entry without what a watch takes from the leaf of its frame; the counts go
// on.
static __noinline __cold uint64_t without_watched(uint64_t entry)
{
    const struct watch *watch =
        watch_of(frame_page((entry & PTE_ADDRESS) / PAGE_SIZE));
    return watch == NULL                  ? entry
           : watch->access == ACCESS_READ ? entry & ~PTE_P
                                          : entry & ~PTE_RW;
}

static uint64_t entry_with(struct counts counts, phys_addr_t frame)
{
    if (counts.openers == 0) {
        return 0;
    }
    return frame | PTE_P | PTE_A | PTE_XD |
           (counts.writers != 0 ? PTE_RW | PTE_D : 0) |
           (uint64_t)counts.openers << OPENERS_SHIFT |
           (uint64_t)(counts.writers >> 3) << WRITERS_HIGH_SHIFT |
           (uint64_t)(counts.writers & 7) << WRITERS_LOW_SHIFT;
}

// One opener more or less of a frame; tables open, interrupts off: a watch
// parks the CPUs to begin and to end, and must not come between what is found
// of it here and the exchange. (That would not fail: nothing changes an entry
// of 0.) True: what CPUs remember of the entry is no longer true.
static bool entry_change(uint64_t *entry, phys_addr_t frame, int openers,
                         int writers)
{
    DEBUG_ASSERT(!(cpu_read_flags() & RFLAGS_IF));
    uint64_t old = __atomic_load_n(entry, __ATOMIC_RELAXED), value;
    do {
        struct counts counts = counts_of(old);
        ASSERT(openers < 0 || counts.openers < COUNT_MAX);
        if (openers < 0 && counts.openers == 0) {
            return false; // of a map call that was abandoned before it got here
        }
        counts.openers += openers;
        counts.writers += writers;
        value = entry_with(counts, frame);
        if (unlikely(watches_on != 0) && value != 0) {
            value = without_watched(value);
        }
    } while (!__atomic_compare_exchange_n(entry, &old, value, false,
                                          __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    percpu_count(pte_writes);
    return (old & PTE_P) && ((old ^ value) & (PTE_P | PTE_RW)) != 0;
}

static void frames_flip(uintptr_t address, size_t count, int openers,
                        int writers)
{
    bool changed = false;
    uint32_t rights = window_open(WINDOW_WRITE);
    for (size_t i = 0; i < count; i++) {
        uintptr_t at = address + i * PAGE_SIZE;
        uint64_t *entry = pt_entry(at);
        uint64_t flags = cpu_interrupts_off();
        changed |= entry_change(entry, at - DIRECT_MAP_BASE, openers, writers);
        cpu_interrupts_restore(flags);
    }
    window_close(rights);
    if (!changed) {
        return;
    }
    uint64_t flags = cpu_interrupts_off();
    if (count > TLB_PAGES_MAX) {
        tlb_flush_all();
    } else {
        for (size_t i = 0; i < count; i++) {
            tlb_flush_page(address + i * PAGE_SIZE);
        }
    }
    // An NMI's handler that is being abandoned has left its level already.
    if (percpu.trap_level == 0 && percpu.nmi_level == 0) {
        tlb_shootdown_range(address, count);
    }
    cpu_interrupts_restore(flags);
}

__used void flip_map(struct bracket *slot, uint32_t kept)
{
    slot->backing = kept;
    slot->rights = slot[-1].rights; // for what opens the tables
    frames_flip(ALIGN_DOWN(slot->address, PAGE_SIZE), bracket_frames(slot), 1,
                kept == KEEP_TO_WRITE);
}

__used void flip_unmap(const struct bracket *slot)
{
    frames_flip(ALIGN_DOWN(slot->address, PAGE_SIZE), bracket_frames(slot), -1,
                slot->backing == KEEP_TO_WRITE ? -1 : 0);
}

// One on scattered frames that is abandoned before it has become special was
// never here.
static void bracket_abandon(struct bracket *bracket)
{
    if (bracket->backing == KEEP_TO_WRITE || bracket->backing == KEEP_TO_READ) {
        flip_unmap(bracket);
    }
}

// Windows are in tables that all CPUs share, with nothing to close them.
static void list_closed(uintptr_t address, size_t count)
{
    if (percpu.trap_level == 0) {
        uint64_t flags = cpu_interrupts_off();
        tlb_shootdown_range(address, count);
        cpu_interrupts_restore(flags);
    }
}

static void init_cpu(void)
{
    tlb_flush_all(); // of what was there before

    ASSERT(cpu_read_cr0() == CR0_KERNEL);
    percpu.bracket_top[-1].rights = PKRS_CLOSED;
}

// Tables for every frame that somebody can have: a bracket cannot make any.
static int fix_locked(phys_addr_t base, uint64_t length, unsigned key)
{
    for (uint64_t at = 0; at < length && key != KEY_TABLES;
         at += PT_LEVEL_SIZE(2)) {
        if (pt_entries_locked(DIRECT_MAP_BASE + base + at) == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int rekey_locked(phys_addr_t block, unsigned order, unsigned key)
{
    int error = fix_locked(block, PAGE_SIZE << order, key);
    return error == 0 ? tables_only_rekey_locked(block, order, key) : error;
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

static bool domain_open(struct domain *domain)
{
    (void)domain;
    return false;
}

static void fill_begin(struct frame_filler *filler, struct domain *domain)
{
    filler->domain = domain;
}

static void *fill_frame(struct frame_filler *filler, struct page *page)
{
    (void)filler;
    frames_flip(page_direct_address(page), 1, 1, 1);
    return (void *)page_direct_address(page);
}

static void fill_frame_end(struct frame_filler *filler, void *address)
{
    (void)filler;
    frames_flip((uintptr_t)address, 1, -1, -1);
}

static void fill_end(struct frame_filler *filler)
{
    (void)filler;
}

// Once more is no harm to a frame that nobody has (entry_change()).
static void fill_abandon(struct frame_filler *filler, struct bracket *slot)
{
    (void)slot;
    if (filler->page != NULL) {
        fill_frame_end(filler, (void *)page_direct_address(filler->page));
    }
}

static bool rights_hold(uint64_t *is, uint64_t *wanted)
{
    *wanted = CR0_KERNEL;
    *is = cpu_read_cr0();
    return *is == *wanted &&
           (brackets_depth() != 0 || pks_rights() == PKRS_CLOSED);
}

static uint64_t direct_unwatched(uint64_t entry)
{
    struct counts counts = counts_of(entry);
    return entry | (counts.openers != 0 ? PTE_P : 0) |
           (counts.writers != 0 ? PTE_RW | PTE_D : 0);
}

// It follows from the frame's state (without_watched()).
static void watch_direct(const struct watch *watch, uint64_t *entry,
                         uintptr_t address, size_t count, bool begin,
                         struct tlb_batch *batch)
{
    (void)watch;
    (void)begin;
    for (; count > 0; count--, entry++, address += PAGE_SIZE) {
        if (entry_change(entry, address - DIRECT_MAP_BASE, 0, 0)) {
            tlb_batch_add(batch, address);
        }
    }
}

static bool direct_leaf_is_right(uint64_t leaf, unsigned key)
{
    (void)key;
    return leaf == 0 || brackets_open() != 0;
}

static bool domain_is_right(const struct domain *domain)
{
    return domain->key == 0 && domain_fill_[domain->id] == 0 &&
           domain_rights_equal(&domain_write_[domain->id], &to_write) &&
           domain_rights_equal(&domain_read_[domain->id], &to_read);
}

const struct engine engine_flip = {
    .name = "flip",
    .how = "leaves that come and go",
    .id = PROTECT_FLIP,
    .call =
        {
            [ENGINE_CALL_MAP] = flip_map_call,
            [ENGINE_CALL_MAP_RANGE] = flip_map_call,
            [ENGINE_CALL_UNMAP] = flip_unmap_call,
            [ENGINE_CALL_RIGHTS] = tables_rights_write,
        },
    .trap_entry = trap_entry_tables,
    .tables_base = TABLES_MAP_BASE,
    .window_key = KEY_KERNEL,
    .init_cpu = init_cpu,
    .rekey_locked = rekey_locked,
    .fix_locked = fix_locked,
    .domain_begin_locked = domain_begin_locked,
    .domain_end_locked = domain_end_locked,
    .domain_open = domain_open,
    .fill_begin = fill_begin,
    .fill_frame = fill_frame,
    .fill_frame_end = fill_frame_end,
    .fill_end = fill_end,
    .fill_abandon = fill_abandon,
    .window_make_locked = shared_window_make_locked,
    .watch_direct = watch_direct,
    .direct_unwatched = direct_unwatched,
    .list_closed = list_closed,
    .bracket_abandon = bracket_abandon,
    .direct_bits = BITS(62, 52) | BITS(11, 9),
    .rights_hold = rights_hold,
    .direct_leaf_is_right = direct_leaf_is_right,
    .domain_is_right = domain_is_right,
};
