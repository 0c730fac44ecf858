// SPDX-License-Identifier: MIT
//
// What the owner table says of an address, and whether the kernel agrees: an
// actor's own frames, those of others, and addresses that are good no more.
#include "kernel/timer.h"
#include "mm/layout.h"
#include "mm/local_window.h"
#include "tests/engines.h"
#include "tests/model_threads.h"

#define WATCH_READS 100 // alone; beside other CPUs for
#define WATCH_US 5000
#define WATCH_CLOSED 3 // reads, at the most, when it is closed
#define OTHERS_A_STEP 6
#define WATCH_TRIES 8 // to find what is open

enum right { NOTHING, READS, WRITES };

static bool word_read(uintptr_t address, uint64_t *word)
{
    return probe_read((void *)(ALIGN_DOWN(address, PAGE_SIZE) + WORD_PLACE),
                      word, sizeof(*word), NULL);
}

// Whether a bracket opens the first frame of a row in the direct map.
static bool bracket_opens(const struct actor_bracket *open,
                          const struct row *row)
{
    return test_engine()->grain == GRAIN_DOMAIN
               ? open->opens && open->domain == row->domain
               : !open->special && open->rows[0] == row;
}

// The best right of an actor to the first frame of a row in the direct map.
static enum right direct_right(const struct actor *actor, const struct row *row)
{
    if (test_engine()->grain == GRAIN_ALL) {
        return WRITES;
    }
    enum right right = NOTHING;
    for (unsigned i = 0; i < actor->depth; i++) {
        const struct actor_bracket *open = &actor->brackets[i];
        if (bracket_opens(open, row)) {
            right = MAX(right, open->writable ? WRITES : READS);
        }
    }
    return right;
}

// ------------------------------------------------------------------ One's own

static void write_compare(struct actor *actor, struct row *row,
                          uintptr_t address, bool allowed)
{
    uint64_t word = WORD(row_number(actor, row), row->count + 1);
    bool written =
        probe_write((void *)(address + WORD_PLACE), &word, sizeof(word), NULL);
    if (written) {
        __atomic_store_n(&row->count, row->count + 1, __ATOMIC_RELEASE);
    }
    if (written != allowed) {
        actor_fail(actor,
                   written ? "a write that must be refused went through"
                           : "a write that is allowed was refused",
                   address);
    }
}

// `address` is that of the row's first frame.
static void own_compare(struct actor *actor, struct row *row, uintptr_t address,
                        enum right right)
{
    uint64_t word;
    address = ALIGN_DOWN(address, PAGE_SIZE);
    bool read = word_read(address, &word);
    if (read != (right != NOTHING)) {
        actor_fail(actor,
                   read ? "a read that must be refused went through"
                        : "a read that is allowed was refused",
                   address);
    } else if (read && word != WORD(row_number(actor, row), row->count)) {
        actor_fail(actor, "a frame does not hold what was written to it",
                   address);
    }
    write_compare(actor, row, address, right == WRITES);
}

static enum right area_right(const struct row *row)
{
    return row->area_writable ? WRITES : READS;
}

static void own_check(struct actor *actor)
{
    struct row *row = row_choose(actor, row_has_page);
    if (row == NULL) {
        return;
    }
    own_compare(actor, row, (uintptr_t)page_direct_map_address(row->page),
                direct_right(actor, row));
    own_compare(actor, row, KMAP_BASE + page_to_phys(row->page),
                row->kmaps != 0 ? WRITES : NOTHING);
    if (row->area != 0) {
        own_compare(actor, row, row->area, area_right(row));
    }
}

static void bracket_check(struct actor *actor)
{
    if (actor->depth == 0) {
        return;
    }
    const struct actor_bracket *open =
        &actor->brackets[actor_random(actor, actor->depth)];
    unsigned i = actor_random(actor, open->rows_count);
    enum right right = open->writable ? WRITES : READS;
    if (!open->special) {
        right = direct_right(actor, open->rows[i]);
    }
    own_compare(actor, open->rows[i], open->address + i * PAGE_SIZE, right);
    uint64_t word, end = open->address + (open->count - 1) * PAGE_SIZE;
    if (!word_read(end, &word)) {
        actor_fail(actor, "the end of a bracket is refused", end);
    }
}

// --------------------------------------------------------------------- Others'

static void word_compare(struct actor *actor, const struct row *row,
                         uint64_t count, uint64_t word, uintptr_t address)
{
    uint64_t now = __atomic_load_n(&row->count, __ATOMIC_ACQUIRE);
    if (WORD_ROW(word) != row_number(actor, row)) {
        actor_fail(actor, "another's frame is not what is there", address);
    } else if (WORD_COUNT(word) < count || WORD_COUNT(word) > now + 1) {
        actor_fail(actor, "another's frame holds something old", address);
    }
}

// What the table says now of an address of another's row.
static bool is_open(const struct row *row, uintptr_t address)
{
    return address - KMAP_BASE < KMAP_SIZE
               ? *(volatile const unsigned *)&row->kmaps != 0
               : *(volatile const uintptr_t *)&row->area == address;
}

// Read once where another has, or had, a kmap() or vmap(). False: it is closed.
static bool other_look(struct actor *actor, const struct row *row,
                       uintptr_t address)
{
    uint32_t version = version_read(&row->version);
    bool open = is_open(row, address);
    uint64_t count = __atomic_load_n(&row->count, __ATOMIC_ACQUIRE), word;
    bool read = word_read(address, &word);
    if (!version_holds(&row->version, version)) {
        return true;
    }
    if (open && !read) {
        actor_fail(actor, "what another has mapped is refused", address);
    } else if (open) {
        word_compare(actor, row, count, word, address);
    } else if (read && (WORD_ROW(word) == row_number(actor, row) ||
                        WORD_ROW(word) >= ROWS)) {
        // Anything else is somebody else's new mapping.
        actor_fail(actor, "what another has unmapped can be read", address);
    }
    return open;
}

static void other_write(struct actor *actor, const struct row *row,
                        uintptr_t address)
{
    uint32_t version = version_read(&row->version);
    if (*(volatile const uintptr_t *)&row->area != address ||
        *(volatile const bool *)&row->area_writable) {
        return;
    }
    // If the range has become another's meanwhile, what is written must not
    // matter.
    char byte = 0;
    if (probe_write((void *)address, &byte, 1, NULL) &&
        version_holds(&row->version, version)) {
        actor_fail(actor, "another's range takes a write", address);
    }
}

// The address of another's kmap() or vmap(); or that of its frame; 0: none.
static uintptr_t other_address(struct actor *actor, const struct row *row)
{
    const struct page *page = *(struct page *volatile const *)&row->page;
    uintptr_t area = *(volatile const uintptr_t *)&row->area;
    if (area != 0 && actor_random(actor, 2) == 0) {
        return area;
    }
    return page != NULL ? KMAP_BASE + page_to_phys(page) : 0;
}

static const struct row *other_choose(struct actor *actor)
{
    const struct owners *owners = actor->owners;
    unsigned own = owners->actors * OWN_ROWS;
    unsigned number = actor_random(actor, own + 2 * SHARED_ROWS);
    return &owners->rows[number < own ? number
                                      : ROW_SHARED + number % SHARED_ROWS];
}

static const struct row *open_choose(struct actor *actor, uintptr_t *address)
{
    const struct row *row;
    unsigned tries = WATCH_TRIES;
    do {
        row = other_choose(actor);
        *address = other_address(actor, row);
    } while (--tries > 0 && (*address == 0 || !is_open(row, *address)));
    return row;
}

// With no bracket open nothing on the way writes IA32_PKRS, at which TCG would
// drop what it remembers.
void actor_watch(struct actor *actor)
{
    uintptr_t address;
    const struct row *row = open_choose(actor, &address);
    uint64_t end = clock_now() + clock_ticks(WATCH_US);
    unsigned closed = 0;
    actor_about(actor, address);
    if (address == 0) {
        return;
    }
    for (unsigned i = 0;
         closed < WATCH_CLOSED &&
         (cpus_online() == 1 ? i < WATCH_READS : clock_now() < end);
         i++) {
        closed += !other_look(actor, row, address);
    }
    other_write(actor, row, address);
}

// A frame in the direct map: a private one is refused whatever is open. Where
// what one has open all have, it may be open or not.
static void other_direct(struct actor *actor, const struct row *row)
{
    uint32_t version = version_read(&row->version);
    const struct page *page = *(struct page *volatile const *)&row->page;
    uint64_t count = __atomic_load_n(&row->count, __ATOMIC_ACQUIRE), word;
    enum right right = direct_right(actor, row);
    if (page == NULL || (engine_refuses() && !test_engine()->others_stay_out)) {
        return;
    }
    uintptr_t address = (uintptr_t)page_direct_map_address(page);
    bool read = word_read(address, &word);
    if (!version_holds(&row->version, version)) {
        return;
    }
    if (read != (right != NOTHING)) {
        actor_fail(actor,
                   read ? "another's frame can be read"
                        : "another's frame of an open domain is refused",
                   address);
    } else if (read) {
        word_compare(actor, row, count, word, address);
    }
}

// Two threads that have no key for a bracket have the same key instead.
static bool has_window_key(const struct actor *actor)
{
    for (unsigned i = 0; i < actor->depth; i++) {
        if (actor->brackets[i].special && !actor->brackets[i].opens) {
            return true;
        }
    }
    return false;
}

static bool own_window_has(const struct actor *actor, uintptr_t address)
{
    for (unsigned i = 0; i < actor->depth; i++) {
        const struct actor_bracket *open = &actor->brackets[i];
        uintptr_t base = ALIGN_DOWN(open->address, PAGE_SIZE);
        if (open->special && address - base < open->count * PAGE_SIZE) {
            return true;
        }
    }
    return false;
}

static void other_window(struct actor *actor)
{
    unsigned number = actor_random(actor, actor->owners->actors);
    const struct actor *other = &actor->owners->actor[number];
    uint32_t version = version_read(&other->version);
    uintptr_t address = *(volatile const uintptr_t *)&other->window;
    uint64_t word;
    if (other == actor || address == 0 || !test_engine()->others_stay_out ||
        (test_engine()->keys ? has_window_key(actor)
                             : own_window_has(actor, address))) {
        return;
    }
    if (word_read(address, &word) && version_holds(&other->version, version)) {
        actor_fail(actor, "another's window can be read", address);
    }
}

// ------------------------------------------------------------- Good no more

// Whether a word at an address of kmap() or vmap() may be there: another's, or
// one's own if that is mapped there now.
static bool word_may_be_there(const struct actor *actor, uint64_t word,
                              uintptr_t address)
{
    if (WORD_ROW(word) >= ROWS) {
        return false;
    }
    const struct row *row = &actor->owners->rows[WORD_ROW(word)];
    return __atomic_load_n(&row->holder, __ATOMIC_ACQUIRE) !=
               (int)actor->number ||
           is_open(row, ALIGN_DOWN(address, PAGE_SIZE));
}

static void dead_check(struct actor *actor, uintptr_t address)
{
    uint64_t word;
    bool direct = address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE;
    bool window = local_window_has(address);
    if (address == 0 ||
        (direct && (actor->depth != 0 || !test_engine()->others_stay_out)) ||
        (window && own_window_has(actor, address)) ||
        !word_read(address, &word)) {
        return;
    }
    if (direct || window || !word_may_be_there(actor, word, address)) {
        actor_fail(actor, "an address is good that should be no more", address);
    }
}

void actor_check(struct actor *actor)
{
    own_check(actor);
    bracket_check(actor);
    for (unsigned i = 0; i < OTHERS_A_STEP; i++) {
        other_direct(actor, other_choose(actor));
    }
    const struct row *other = other_choose(actor);
    uintptr_t address = other_address(actor, other);
    if (address != 0) {
        other_look(actor, other, address);
    }
    other_window(actor);
    dead_check(actor, actor->dead[(actor->dead_next - 1) % ACTOR_DEAD]);
    dead_check(actor, actor->dead[actor_random(actor, ACTOR_DEAD)]);
}
