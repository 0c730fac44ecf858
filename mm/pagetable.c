// SPDX-License-Identifier: MIT
//
// The page tables and the one window through which they are written.
#include "mm/pagetable.h"

#include "arch/tlb.h"
#include "lib/panic.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/lock.h"
#include "mm/pagetable_internal.h"
#include "mm/pt_window.h"
#include "mm/tables.h"

// The largest level whose leaf fits at the start of the range.
static unsigned level_fit(uintptr_t address, phys_addr_t physical,
                          uint64_t size, unsigned max_level)
{
    unsigned level = max_level;
    while (level > 1 &&
           (!IS_ALIGNED(address | physical, PT_LEVEL_SIZE(level)) ||
            size < PT_LEVEL_SIZE(level))) {
        level--;
    }
    return level;
}

// Map from the start of a range as much as one table holds in leaves of one
// size; the lookup is the expensive part. Returns the bytes mapped, 0 when no
// table is left. Window open for writing.
static uint64_t run_map(uintptr_t address, phys_addr_t physical, uint64_t size,
                        uint64_t flags, unsigned max_level)
{
    unsigned level = level_fit(address, physical, size, max_level);
    uint64_t step = PT_LEVEL_SIZE(level);
    uint64_t *entry = pt_entry_find(address, level, true);
    if (entry == NULL) {
        return 0;
    }
    uint64_t done = 0;
    unsigned index = pt_index(address, level);
    do {
        ASSERT(!(*entry & PTE_P));
        pt_entry_write(entry++, pt_leaf_entry(physical + done, flags, level));
        done += step;
    } while (++index < PT_ENTRIES && done < size &&
             level_fit(address + done, physical + done, size - done,
                       max_level) == level);
    return done;
}

int pt_map_locked(uintptr_t address, phys_addr_t physical, uint64_t size,
                  uint64_t flags, unsigned max_level)
{
    ASSERT(IS_ALIGNED(address | physical | size, PAGE_SIZE));
    ASSERT(mm_lock_held());
    uint64_t done = 0;
    while (done < size) {
        uint64_t step = 0;
        if (tables_prepare_locked() == 0) {
            uint32_t rights = window_open(WINDOW_WRITE);
            step = run_map(address + done, physical + done, size - done, flags,
                           max_level);
            window_close(rights);
        }
        if (step == 0) {
            pt_unmap_locked(address, done);
            return -ENOMEM;
        }
        done += step;
    }
    return 0;
}

int pt_map(uintptr_t address, phys_addr_t physical, uint64_t size,
           uint64_t flags, unsigned max_level)
{
    uint64_t lock = mm_lock();
    int error = pt_map_locked(address, physical, size, flags, max_level);
    mm_unlock(lock);
    return error;
}

// Cut the leaf that spans `address` so that a leaf begins there. Window open.
static bool boundary_split(uintptr_t address)
{
    for (unsigned level = 3; level > 1; level--) {
        if (IS_ALIGNED(address, PT_LEVEL_SIZE(level))) {
            return true;
        }
        uint64_t *entry = pt_entry_find(address, level, false);
        if (entry == NULL || !(*entry & PTE_P)) {
            return true; // nothing is mapped there
        }
        if (pte_is_leaf(*entry, level) && !pt_leaf_split(entry, level)) {
            return false;
        }
    }
    return true;
}

// A watched frame's leaf has its own key, whatever key its domain gets.
static bool keeps_key(uint64_t entry)
{
    return (entry & PTE_OWN_KEY) != 0;
}

// Apply entry = (entry & ~mask) | bits to every present leaf of the range. The
// range begins and ends at leaf boundaries. Window open. The caller sends the
// batch to the other CPUs.
static void leaves_update(uintptr_t address, uint64_t size, uint64_t mask,
                          uint64_t bits, struct tlb_batch *batch)
{
    uintptr_t end = address + size;
    while (address < end) {
        unsigned level = PT_LEVELS;
        const uint64_t *table = pt_table_at(pt_tables.root);
        while (!pte_is_leaf(table[pt_index(address, level)], level) &&
               (table[pt_index(address, level)] & PTE_P)) {
            table = pt_table_at(table[pt_index(address, level)] & PTE_ADDRESS);
            level--;
        }
        uint64_t *entry = (uint64_t *)&table[pt_index(address, level)];
        if ((*entry & PTE_P) && !(mask == PTE_KEY_MASK && keeps_key(*entry))) {
            pt_entry_write(entry, (*entry & ~mask) | bits);
            tlb_batch_add(batch, address);
        }
        address =
            ALIGN_DOWN(address, PT_LEVEL_SIZE(level)) + PT_LEVEL_SIZE(level);
    }
}

// What is on its way out of the page tables: translations that other CPUs may
// remember, and tables that nobody may get before they have forgotten them.
struct removal {
    struct tlb_batch batch;
    uint32_t tables; // frame number, linked by private_next; 0 ends the list
};

// Nobody remembers any of it when this returns. Window closed.
static void removal_finish(struct removal *removal)
{
    if (removal->tables == 0) {
        tlb_shootdown_batch(&removal->batch);
    } else {
        tlb_shootdown_tables();
    }
    while (removal->tables != 0) {
        uint32_t table = removal->tables;
        removal->tables = frame_page(table)->private_next;
        table_give((phys_addr_t)table * PAGE_SIZE);
    }
}

// Take out the tables below `table` that hold nothing in [start, end] (both
// bytes inclusive). True: `table` itself is empty too. Window open. An upper
// entry may be cached until it is cleared; one INVLPG then drops all of them
// (SDM 3A 4.10.4.1).
static bool tables_prune(phys_addr_t table, unsigned level, uintptr_t start,
                         uintptr_t end, struct removal *removal)
{
    uint64_t *entries = pt_table_at(table);
    uint64_t span = PT_LEVEL_SIZE(level);
    for (unsigned i = pt_index(start, level);
         level > 1 && i <= pt_index(end, level); i++) {
        uint64_t entry = entries[i];
        uintptr_t base = ALIGN_DOWN(start, span * PT_ENTRIES) + i * span;
        if ((entry & PTE_P) && !pte_is_leaf(entry, level) &&
            tables_prune(entry & PTE_ADDRESS, level - 1, MAX(start, base),
                         MIN(end, base + span - 1), removal)) {
            pt_upper_entry_write(&entries[i], level, 0);
            tlb_batch_add(&removal->batch, MAX(start, base));
            uint32_t frame = (entry & PTE_ADDRESS) / PAGE_SIZE;
            frame_page(frame)->private_next = removal->tables;
            removal->tables = frame;
        }
    }
    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        if (entries[i] & PTE_P) {
            return false;
        }
    }
    return level < PT_LEVELS; // the root stays
}

static int change_locked(uintptr_t address, uint64_t size, uint64_t mask,
                         uint64_t bits, bool prune)
{
    ASSERT(IS_ALIGNED(address | size, PAGE_SIZE));
    ASSERT(mm_lock_held());
    if (size == 0) {
        return 0;
    }
    // Without a reserve it goes on: most ranges need no split, and one that
    // does finds out.
    (void)tables_prepare_locked();
    int error = 0;
    struct removal removal;
    removal.batch.count = removal.tables = 0;
    uint32_t rights = window_open(WINDOW_WRITE);
    if (boundary_split(address) && boundary_split(address + size)) {
        leaves_update(address, size, mask, bits, &removal.batch);
        if (prune) {
            tables_prune(pt_tables.root, PT_LEVELS, address, address + size - 1,
                         &removal);
        }
    } else {
        error = -ENOMEM;
    }
    window_close(rights);
    removal_finish(&removal);
    return error;
}

int pt_change_locked(uintptr_t address, uint64_t size, uint64_t mask,
                     uint64_t bits)
{
    return change_locked(address, size, mask, bits, false);
}

int pt_change(uintptr_t address, uint64_t size, uint64_t mask, uint64_t bits)
{
    uint64_t lock = mm_lock();
    int error = change_locked(address, size, mask, bits, false);
    mm_unlock(lock);
    return error;
}

int pt_unmap_locked(uintptr_t address, uint64_t size)
{
    return change_locked(address, size, ~0ull, 0, true);
}

int pt_unmap(uintptr_t address, uint64_t size)
{
    uint64_t lock = mm_lock();
    int error = change_locked(address, size, ~0ull, 0, true);
    mm_unlock(lock);
    return error;
}

int pt_join_locked(uintptr_t address, uint64_t entry)
{
    ASSERT(mm_lock_held() && IS_ALIGNED(address, PT_LEVEL_SIZE(2)));
    int error = tables_prepare_locked(); // a leaf of 1 GiB may be in the way
    if (error != 0) {
        return error;
    }
    uint32_t rights = window_open(WINDOW_WRITE);
    uint64_t *at = pt_entry_find(address, 2, true);
    if (at == NULL) {
        window_close(rights);
        return -ENOMEM;
    }
    uint64_t old = *at;
    pt_entry_write(at, entry | PTE_PS);
    window_close(rights);
    if ((old & PTE_P) && !pte_is_leaf(old, 2)) {
        tlb_flush_all(); // of up to 512 pages
        tlb_shootdown_tables();
        table_give(old & PTE_ADDRESS);
    } else {
        tlb_flush_page(address);
        tlb_shootdown_range(address, 1);
    }
    return 0;
}

void pt_rekey_locked(uintptr_t address, uint64_t size, unsigned key,
                     struct tlb_batch *batch)
{
    ASSERT(mm_lock_held());
    uint32_t rights = window_open(WINDOW_WRITE);
    leaves_update(address, size, PTE_KEY_MASK, PTE_KEY(key), batch);
    window_close(rights);
}

__init void pt_init(void)
{
    pt_tables.root = pt_table_new();
    ASSERT(pt_tables.root != 0);
}

__init void pt_activate(void)
{
    cpu_write_cr3(pt_tables.root);
    tlb_flush_all();
    pt_tables.base = engine->tables_base;
}

phys_addr_t pt_root(void)
{
    return pt_tables.root;
}
