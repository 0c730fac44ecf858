// SPDX-License-Identifier: MIT
//
// Making windows, and moving threads' windows from CPU to CPU.
#include "mm/exact.h"

#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/tlb.h"
#include "lib/panic.h"
#include "mm/frames.h"
#include "mm/lock.h"
#include "mm/pagetable_internal.h"
#include "mm/pt_window.h"

#define UPPER (PTE_RW | PTE_A)

// One table has the slots' places, and one page for the allocator.
#define SLOT_PAGES (EXACT_SLOT_FRAMES + 1)
#define FILL_PAGE 500
_Static_assert(BRACKETS_MAX *SLOT_PAGES < FILL_PAGE &&
                   FILL_PAGE < PT_ENTRIES - 1,
               "unmapped pages around the allocator's");

// Addresses of threads differ, as far as a link reaches: a stale pointer of
// another thread's is no pointer of one's own.
// A whole block of the largest order fits.
#define ROOM_TABLES (LOCAL_WINDOW_TABLES + 1)
#define WINDOW_TABLES (1 + ROOM_TABLES)
#define WINDOWS_APART (PT_ENTRIES / WINDOW_TABLES)

// Deeper handlers have no room for scattered frames.
#define LEVELS_WITH_ROOM 4

struct exact_cpu {
    phys_addr_t root;
    uint64_t *links;
    struct local_window window[HANDLER_LEVELS];
};

// Until there are windows.
static uint64_t no_link;

static size_t tables_made;

__init void exact_cpu_none(struct bracket_handlers *slots)
{
    for (unsigned i = 0; i < HANDLER_LEVELS; i++) {
        slots->level[i].sentinel.backing = (uintptr_t)&no_link;
    }
}

static void slots_place(struct bracket *slot, uint64_t *entry,
                        uintptr_t address)
{
    for (unsigned i = 0; i < BRACKETS_MAX; i++) {
        slot[i].window_entry = entry + i * SLOT_PAGES;
        slot[i].window_address = address + i * SLOT_PAGES * PAGE_SIZE;
    }
}

// Tables for slots, and for `room` times 2 MiB of scattered frames, at
// `address`, which lies at the directory's entry `index`. Returns the directory
// as a link has it, without P; 0: no memory.
static uint64_t window_make_locked(struct bracket *slots,
                                   struct local_window *window,
                                   uintptr_t address, size_t room)
{
    phys_addr_t row = pt_row_make_locked(2 + room);
    if (row == 0) {
        return 0;
    }
    tables_made += 2 + room;
    uint32_t rights = window_open(WINDOW_WRITE);
    uint64_t *directory = pt_table_at(row);
    for (size_t i = 0; i < 1 + room; i++) {
        directory[pt_index(address, 2) + i] =
            (row + (1 + i) * PAGE_SIZE) | UPPER | PTE_P;
    }
    window_close(rights);
    slots_place(slots, pt_table_at(row + PAGE_SIZE), address);
    *window = (struct local_window){
        .base = address + PT_LEVEL_SIZE(2),
        .next = address + PT_LEVEL_SIZE(2),
        .end = address + (1 + room) * PT_LEVEL_SIZE(2),
        .entries = pt_table_at(row + 2 * PAGE_SIZE),
    };
    return row | UPPER;
}

bool exact_window_make_locked(struct mm_context *context, size_t tables)
{
    if (tables < LOCAL_WINDOW_TABLES) {
        return true; // an idle thread opens nothing
    }
    uintptr_t address = EXACT_WINDOWS_BASE + context->number % WINDOWS_APART *
                                                 WINDOW_TABLES *
                                                 PT_LEVEL_SIZE(2);
    context->directory =
        window_make_locked(context->brackets.thread.bracket, &context->window,
                           address, ROOM_TABLES);
    return context->directory != 0;
}

static bool handlers_make_locked(struct exact_cpu *own,
                                 struct bracket_handlers *slots)
{
    for (unsigned i = 0; i < HANDLER_LEVELS; i++) {
        uintptr_t address = EXACT_WINDOWS_BASE + (1 + i) * EXACT_LINK_SIZE;
        uint64_t directory = window_make_locked(
            slots->level[i].bracket, &own->window[i], address,
            i < LEVELS_WITH_ROOM ? LOCAL_WINDOW_TABLES : 0);
        if (directory == 0) {
            return false;
        }
        uint32_t rights = window_open(WINDOW_WRITE);
        own->links[1 + i] = directory | PTE_P;
        window_close(rights);
        slots->level[i].sentinel.window_address = (uintptr_t)&own->window[i];
        slots->level[i].sentinel.backing = (uintptr_t)&own->links[i];
    }
    return true;
}

static bool cpu_make_locked(struct exact_cpu *own,
                            struct bracket_handlers *slots)
{
    phys_addr_t links = pt_row_make_locked(1);
    tables_made += links != 0;
    own->root = links != 0 ? pt_root_make_locked() : 0;
    if (own->root == 0) {
        return false;
    }
    tables_made++;
    uint32_t rights = window_open(WINDOW_WRITE);
    pt_table_at(own->root)[pt_index(EXACT_WINDOWS_BASE, PT_LEVELS)] =
        links | UPPER | PTE_P;
    window_close(rights);
    own->links = pt_table_at(links);
    return handlers_make_locked(own, slots);
}

__init bool exact_cpu_make(struct cpu_data *cpu, struct bracket_handlers *slots)
{
    struct exact_cpu *own = kzalloc(sizeof(*own));
    if (own == NULL) {
        return false;
    }
    uint64_t lock = mm_lock();
    bool made = cpu_make_locked(own, slots);
    mm_unlock(lock);
    cpu->exact = own;
    return made;
}

// -------------------------------------------------------------- One CPU's own

static struct exact_cpu *here(void)
{
    return percpu.exact;
}

static void link_write(unsigned number, uint64_t value)
{
    uint32_t rights = window_open(WINDOW_WRITE);
    *(volatile uint64_t *)&here()->links[number] = value;
    window_close(rights);
    percpu_count(pte_writes);
}

// Whether a context may have something in its window, by the top of its
// brackets: a slot in use, or rights that differ from none.
static bool may_have_open(const struct bracket *top)
{
    return top[-1].window_entry != NULL || top[-1].rights != PKRS_CLOSED;
}

__init void exact_cpu_begin(void)
{
    cpu_write_cr3(here()->root);
    uint64_t directory = mm_context_of_thread()->directory;
    link_write(0, directory != 0 ? directory | PTE_P : 0);
}

// What this CPU remembers of the window is invalidated with what it remembers
// of upper entries, which every INVLPG drops (SDM 3A 4.10.4.1). Interrupts off.
void exact_switch_from(const struct mm_context *to)
{
    bool in_trap = percpu.trap_level != 0;
    const struct bracket *top =
        in_trap ? percpu.handler_first->interrupted : percpu.bracket_top;
    link_write(0, to->directory);
    if (may_have_open(top)) {
        cpu_write_cr3(cpu_read_cr3());
        percpu_count(full_flushes);
    } else {
        tlb_flush_page(EXACT_WINDOWS_BASE);
    }
}

// One that was switched out in a handler is hidden from it, if it had anything
// open, until the handler returns.
void exact_switch_to(struct mm_context *to, bool to_in_trap)
{
    struct exact_cpu *own = here();
    percpu.window = to_in_trap ? &own->window[0] : &to->window;
    bool hidden = to_in_trap && may_have_open(to->top);
    if (to->directory != 0 && !hidden) {
        link_write(0, to->directory | PTE_P);
    }
}

// What abandoned code had not finished: lists of handlers that are gone, and
// the page that the allocator fills.
static void remains_clear(struct exact_cpu *own, uint32_t level)
{
    uint32_t rights = window_open(WINDOW_WRITE);
    for (unsigned i = level; i < HANDLER_LEVELS; i++) {
        struct local_window *window = &own->window[i];
        if (window->next != window->base) {
            local_window_unmap(window->entries, window->base,
                               (window->next - window->base) / PAGE_SIZE);
            window->next = window->base;
        }
    }
    if (level == 0 && *exact_fill_entry() != 0) {
        local_window_unmap(exact_fill_entry(), exact_fill_address(), 1);
    }
    window_close(rights);
}

// Rights follow from how many brackets are open; the allocator may have changed
// the word.
static void rights_restore(struct bracket *top)
{
    pks_set_rights(bracket_is_sentinel(top - 1)
                       ? PKRS_CLOSED
                       : top[-2].rights - RIGHTS_ONE_BRACKET);
}

// The top is the level's own already. The links of handlers that are gone are
// theirs who come next; the level's own comes last, when an NMI would find it.
void exact_abandon_above(uint32_t level)
{
    struct exact_cpu *own = here();
    percpu.handler_next = percpu.handler_first + level * BRACKET_LEVEL_SLOTS;
    percpu.window =
        level == 0 ? &mm_context_of_thread()->window : &own->window[level - 1];
    remains_clear(own, level);
    rights_restore(percpu.bracket_top);
    for (unsigned i = EXACT_LINKS; i-- > level;) {
        if (own->links[i] != 0 && !(own->links[i] & PTE_P)) {
            link_write(i, own->links[i] | PTE_P);
        }
    }
}

// Tables open.
static uint64_t *entry_find(uintptr_t address, uint32_t level)
{
    uintptr_t offset = address - EXACT_WINDOWS_BASE;
    if (offset / EXACT_LINK_SIZE != level || level >= EXACT_LINKS) {
        return NULL;
    }
    uint64_t *entry = &here()->links[level];
    for (unsigned at = 2; at >= 1 && entry != NULL; at--) {
        phys_addr_t table = *entry & PTE_ADDRESS;
        entry = table != 0 ? &pt_table_at(table)[pt_index(address, at)] : NULL;
    }
    return entry;
}

uint64_t *exact_entry(uintptr_t address, uint32_t level)
{
    uint32_t rights = window_open(WINDOW_READ);
    uint64_t *entry = entry_find(address, level);
    window_close(rights);
    return entry;
}

uint64_t exact_leaf(uintptr_t address, uint32_t level)
{
    uint32_t rights = window_open(WINDOW_READ);
    const uint64_t *entry = entry_find(address, level);
    uint64_t leaf = entry != NULL ? *entry : 0;
    window_close(rights);
    return leaf;
}

uint64_t *exact_fill_entry(void)
{
    return mm_context_of_thread()->brackets.thread.bracket[0].window_entry +
           FILL_PAGE;
}

uintptr_t exact_fill_address(void)
{
    return mm_context_of_thread()->brackets.thread.bracket[0].window_address +
           FILL_PAGE * PAGE_SIZE;
}

phys_addr_t exact_root(unsigned cpu)
{
    const struct exact_cpu *own = cpu_data_of(cpu)->exact;
    return own != NULL ? own->root : 0;
}

size_t exact_tables(void)
{
    return tables_made;
}

// In the tables of a directory. Tables open.
static size_t leaves_below(uint64_t directory)
{
    size_t leaves = 0;
    const uint64_t *tables = pt_table_at(directory & PTE_ADDRESS);
    for (unsigned i = 0; i < PT_ENTRIES; i++) {
        const uint64_t *table = pt_table_at(tables[i] & PTE_ADDRESS);
        for (unsigned j = 0; (tables[i] & PTE_P) && j < PT_ENTRIES; j++) {
            leaves += (table[j] & (PTE_P | PTE_LOST_P)) != 0;
        }
    }
    return leaves;
}

size_t exact_leaves(void)
{
    size_t leaves = 0;
    for (uint32_t i = 0; i < mm_contexts_used(); i++) {
        uint64_t directory = mm_context_at(i)->directory;
        leaves += directory != 0 ? leaves_below(directory) : 0;
    }
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        for (unsigned i = 1; i < EXACT_LINKS; i++) {
            leaves += leaves_below(cpu_data_of(cpu)->exact->links[i]);
        }
    }
    return leaves;
}
