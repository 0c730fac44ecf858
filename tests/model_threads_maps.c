// SPDX-License-Identifier: MIT
//
// Steps that open frames and close them again: local brackets, kmap(), vmap().
#include "arch/pks.h"
#include "mm/domain.h"
#include "mm/layout.h"
#include "mm/local_window.h"
#include "tests/engines.h"
#include "tests/model_threads.h"

// ------------------------------------------------------------- Local brackets

static const void *range_open(struct actor *actor, struct actor_bracket *open)
{
    const struct row *row = open->rows[0];
    size_t offset = actor_random(actor, PAGE_SIZE);
    size_t length =
        1 + actor_random(actor, row_frames(row) * PAGE_SIZE - offset);
    open->count = (offset + length - 1) / PAGE_SIZE + 1;
    return open->writable ? kmap_local_range(row->page, offset, length)
                          : kmap_local_range_ro(row->page, offset, length);
}

// With others of the same domain, or with the same again.
static const void *pages_open(struct actor *actor, struct actor_bracket *open)
{
    struct page *pages[BRACKET_ROWS];
    open->rows_count = open->count = 1 + actor_random(actor, BRACKET_ROWS);
    for (unsigned i = 0; i < open->count; i++) {
        struct row *row = row_choose(actor, row_has_page);
        open->rows[i] =
            i > 0 && row->domain == open->domain ? row : open->rows[0];
        pages[i] = open->rows[i]->page;
    }
    return open->writable ? kmap_local_pages(pages, open->count)
                          : kmap_local_pages_ro(pages, open->count);
}

static const void *local_open(struct actor *actor, struct actor_bracket *open)
{
    struct page *page = open->rows[0]->page;
    switch (actor_random(actor, 3)) {
    case 0:
        return open->writable ? kmap_local_page(page)
                              : kmap_local_page_ro(page);
    case 1:
        return range_open(actor, open);
    default:
        return pages_open(actor, open);
    }
}

// What the innermost bracket has in the window, for others to try.
static void window_publish(struct actor *actor)
{
    actor->window = 0;
    if (actor->depth > 0) {
        const struct actor_bracket *top = &actor->brackets[actor->depth - 1];
        if (top->special && top->domain < DOMAIN_SHARED) {
            actor->window = top->address;
        }
    }
    version_step(&actor->version);
}

static void rows_count(const struct actor_bracket *open, int by)
{
    for (unsigned i = 0; i < open->rows_count; i++) {
        open->rows[i]->brackets += by;
    }
}

void actor_open(struct actor *actor)
{
    struct row *row = row_choose(actor, row_has_page);
    if (row == NULL || actor->depth == ACTOR_BRACKETS) {
        return;
    }
    struct actor_bracket *open = &actor->brackets[actor->depth];
    *open = (struct actor_bracket){.count = 1, .rows_count = 1};
    open->rows[0] = row;
    open->domain = row->domain;
    open->writable = actor_random(actor, 2) != 0;
    version_step(&actor->version);
    open->address = (uintptr_t)local_open(actor, open);
    open->special = local_window_has(open->address);
    // Its key stays while it is open here; another may give it one after it
    // was opened without.
    unsigned key = actor->owners->domains[open->domain]->key;
    const struct test_engine *running = test_engine();
    open->opens = key != 0 && !(pks_rights() & PKRS_AD(key));
    if ((running->keys ? !open->opens : !running->brackets_are_direct) &&
        !open->special) {
        actor_fail(actor, "a bracket opens nothing", open->address);
    }
    rows_count(open, 1);
    actor->depth++;
    window_publish(actor);
    actor_about(actor, open->address);
}

void actor_close(struct actor *actor)
{
    if (actor->depth == 0) {
        return;
    }
    const struct actor_bracket *open = &actor->brackets[actor->depth - 1];
    actor_about(actor, open->address);
    if (open->writable) {
        row_write(actor, open->rows[0], ALIGN_DOWN(open->address, PAGE_SIZE));
    }
    version_step(&actor->version);
    kunmap_local((void *)open->address);
    rows_count(open, -1);
    actor->depth--;
    window_publish(actor);
    actor_dead_add(actor, open->address);
}

// ------------------------------------------------------------ For every thread

static bool row_kmaps_fit(const struct row *row)
{
    return row->page != NULL && row->kmaps < 3;
}

static bool row_is_kmapped(const struct row *row)
{
    return row->kmaps != 0;
}

void actor_kmap(struct actor *actor)
{
    struct row *row = row_choose(actor, row_kmaps_fit);
    if (row == NULL) {
        return;
    }
    version_step(&row->version);
    uintptr_t address = row->order == 0
                            ? (uintptr_t)kmap(row->page)
                            : (uintptr_t)kmap_range(row->page, row_frames(row));
    if (address != 0) {
        row->kmaps++;
        if (address != KMAP_BASE + page_to_phys(row->page)) {
            actor_fail(actor, "kmap() gives another address", address);
        }
        row_write(actor, row, address);
    }
    version_step(&row->version);
    actor_about(actor, address);
}

void actor_kunmap(struct actor *actor)
{
    struct row *row = row_choose(actor, row_is_kmapped);
    if (row == NULL) {
        return;
    }
    uintptr_t address = KMAP_BASE + page_to_phys(row->page);
    actor_about(actor, address);
    row_write(actor, row, address);
    version_step(&row->version);
    if (row->order == 0) {
        kunmap(row->page);
    } else {
        kunmap_range(row->page, row_frames(row));
    }
    row->kmaps--;
    version_step(&row->version);
    actor_dead_add(actor, address);
}

// ---------------------------------------------------------------------- Ranges

static bool row_has_no_area(const struct row *row)
{
    return row->page != NULL && row->area == 0;
}

static bool row_has_area(const struct row *row)
{
    return row->area != 0;
}

// The actor's own, the next after one that has no area either; NULL: none.
static struct row *row_next_own(struct actor *actor, struct row *row)
{
    struct row *end = &actor->owners->rows[(actor->number + 1) * OWN_ROWS];
    while (++row < end) {
        if (row_has_no_area(row)) {
            return row;
        }
    }
    return NULL;
}

// Several of one's own, or one that is shared: so a range has one holder.
static unsigned area_rows(struct actor *actor, struct row *rows[])
{
    unsigned count = 0, most = 1 + actor_random(actor, AREA_ROWS);
    struct row *row = row_choose(actor, row_has_no_area);
    bool own = row != NULL && row_number(actor, row) < ROW_SHARED;
    while (row != NULL && count < most) {
        rows[count++] = row;
        row = own ? row_next_own(actor, row) : NULL;
    }
    return count;
}

static void *area_open(struct actor *actor, struct row *const rows[],
                       unsigned count, unsigned prot)
{
    struct page *pages[AREA_ROWS];
    for (unsigned i = 0; i < count; i++) {
        pages[i] = rows[i]->page;
    }
    if (count == 1 && actor_random(actor, 3) == 0) {
        return vmap_range(page_to_phys(pages[0]), PAGE_SIZE, prot);
    }
    return vmap(pages, count, prot);
}

void actor_vmap(struct actor *actor)
{
    struct row *rows[AREA_ROWS];
    bool writable = actor_random(actor, 2) != 0;
    unsigned count = area_rows(actor, rows);
    if (count == 0) {
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        version_step(&rows[i]->version);
    }
    uintptr_t base = (uintptr_t)area_open(
        actor, rows, count, writable ? MAP_READ | MAP_WRITE : MAP_READ);
    for (unsigned i = 0; i < count; i++) {
        rows[i]->area_base = base;
        rows[i]->area = base != 0 ? base + i * PAGE_SIZE : 0;
        rows[i]->area_writable = writable;
        version_step(&rows[i]->version);
    }
    actor_about(actor, base);
}

void actor_vunmap(struct actor *actor)
{
    struct row *row = row_choose(actor, row_has_area);
    if (row == NULL) {
        return;
    }
    uintptr_t base = row->area_base;
    struct row *rows[AREA_ROWS] = {row};
    unsigned count = 1;
    // The range's other rows, if any, are the actor's own.
    struct row *own = &actor->owners->rows[actor->number * OWN_ROWS];
    for (unsigned i = 0; i < OWN_ROWS; i++) {
        if (own[i].area != 0 && own[i].area_base == base && &own[i] != row) {
            rows[count++] = &own[i];
        }
    }
    actor_about(actor, base);
    for (unsigned i = 0; i < count; i++) {
        if (rows[i]->area_writable) {
            row_write(actor, rows[i], rows[i]->area);
        }
        version_step(&rows[i]->version);
    }
    vunmap((void *)base);
    for (unsigned i = 0; i < count; i++) {
        actor_dead_add(actor, rows[i]->area);
        rows[i]->area = 0;
        version_step(&rows[i]->version);
    }
}
