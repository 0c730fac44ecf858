// SPDX-License-Identifier: MIT
//
// Steps with frames and domains: they come, change hands, and go.
#include "mm/layout.h"
#include "tests/model_threads.h"

// ------------------------------------------------------------------- The table

// Those that an actor may hold: its own, and then the shared ones.
#define CANDIDATES (OWN_ROWS + SHARED_ROWS)

static struct row *candidate(const struct actor *actor, unsigned i)
{
    struct row *rows = actor->owners->rows;
    return i < OWN_ROWS ? &rows[actor->number * OWN_ROWS + i]
                        : &rows[ROW_SHARED + i - OWN_ROWS];
}

static bool holds(const struct actor *actor, const struct row *row)
{
    return __atomic_load_n(&row->holder, __ATOMIC_ACQUIRE) ==
           (int)actor->number;
}

struct row *row_choose(struct actor *actor, bool (*fits)(const struct row *))
{
    unsigned start = actor_random(actor, CANDIDATES);
    for (unsigned i = 0; i < CANDIDATES; i++) {
        struct row *row = candidate(actor, (start + i) % CANDIDATES);
        if (holds(actor, row) && fits(row)) {
            return row;
        }
    }
    return NULL;
}

bool row_has_page(const struct row *row)
{
    return row->page != NULL;
}

static bool row_is_empty(const struct row *row)
{
    return row->page == NULL;
}

static bool row_is_unused(const struct row *row)
{
    return row->page != NULL && row->brackets == 0 && row->kmaps == 0 &&
           row->area == 0;
}

static bool row_may_be_given(const struct row *row)
{
    return row->domain >= DOMAIN_SHARED && row->brackets == 0;
}

void row_write(struct actor *actor, struct row *row, uintptr_t address)
{
    *(volatile uint64_t *)(address + WORD_PLACE) =
        WORD(row_number(actor, row), row->count + 1);
    __atomic_store_n(&row->count, row->count + 1, __ATOMIC_RELEASE);
}

// ---------------------------------------------------------------- Come and go

static void row_fill(struct actor *actor, struct row *row)
{
    uint64_t content, word = WORD(row_number(actor, row), row->count);
    for (size_t i = 0; i < row_frames(row); i++) {
        struct page *page = row->page + i;
        memcpy_from_page(&content, page, 8 * actor_random(actor, 512), 8);
        if (content != 0) {
            actor_fail(actor, "a new frame is not zero", page_to_phys(page));
        }
        memcpy_to_page(page, WORD_PLACE, &word, sizeof(word));
    }
}

void actor_alloc(struct actor *actor)
{
    struct row *row = row_choose(actor, row_is_empty);
    if (row == NULL) {
        return;
    }
    unsigned domain = row->domain;
    if (row_number(actor, row) < ROW_SHARED) {
        domain = actor->number * OWN_DOMAINS + actor_random(actor, OWN_DOMAINS);
    }
    if (actor->owners->domains[domain] == NULL) {
        return;
    }
    version_step(&row->version);
    row->domain = domain;
    row->order = actor_random(actor, 4) == 0 ? actor_random(actor, 4) : 0;
    row->page = alloc_pages(actor->owners->domains[domain], row->order);
    if (row->page != NULL) { // else there is little memory
        actor_about(actor, page_to_phys(row->page));
        row_fill(actor, row);
    }
    version_step(&row->version);
}

static void row_free(struct actor *actor, struct row *row)
{
    actor_about(actor, page_to_phys(row->page));
    actor_dead_add(actor, (uintptr_t)page_direct_map_address(row->page));
    version_step(&row->version);
    free_pages(row->page, row->order);
    row->page = NULL;
    version_step(&row->version);
}

void actor_free(struct actor *actor)
{
    struct row *row = row_choose(actor, row_is_unused);
    if (row != NULL) {
        row_free(actor, row);
    }
}

void actor_copy(struct actor *actor)
{
    struct row *row = row_choose(actor, row_has_page);
    if (row == NULL) {
        return;
    }
    uint64_t word, want = WORD(row_number(actor, row), row->count);
    actor_about(actor, page_to_phys(row->page));
    memcpy_from_page(&word, row->page, WORD_PLACE, sizeof(word));
    if (word != want) {
        actor_fail(actor, "memcpy_from_page() reads something else", word);
    }
    want++;
    memcpy_to_page(row->page, WORD_PLACE, &want, sizeof(want));
    __atomic_store_n(&row->count, row->count + 1, __ATOMIC_RELEASE);
}

// --------------------------------------------------------------- Change hands

void actor_take(struct actor *actor)
{
    struct row *row =
        &actor->owners->rows[ROW_SHARED + actor_random(actor, SHARED_ROWS)];
    int nobody = ROW_NOBODY;
    actor_about(actor, row_number(actor, row));
    __atomic_compare_exchange_n(&row->holder, &nobody, (int)actor->number,
                                false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void actor_give(struct actor *actor)
{
    struct row *row = row_choose(actor, row_may_be_given);
    if (row != NULL) {
        actor_about(actor, row_number(actor, row));
        __atomic_store_n(&row->holder, ROW_NOBODY, __ATOMIC_RELEASE);
    }
}

static bool domain_is_used(const struct actor *actor, unsigned domain)
{
    for (unsigned i = 0; i < OWN_ROWS; i++) {
        const struct row *row = candidate(actor, i);
        if (row->page != NULL && row->domain == domain) {
            return true;
        }
    }
    return false;
}

// A private domain goes, if it has no frames, and another comes.
void actor_domain(struct actor *actor)
{
    unsigned number =
        actor->number * OWN_DOMAINS + actor_random(actor, OWN_DOMAINS);
    struct domain **domain = &actor->owners->domains[number];
    actor_about(actor, number);
    bool used = domain_is_used(actor, number);
    int result = *domain != NULL ? domain_destroy(*domain) : 0;
    if (result != (used ? -EBUSY : 0) && result != -ENOMEM) {
        actor_fail(actor, "domain_destroy() gives another result", number);
    }
    if (result == 0) {
        *domain = domain_create("private");
    }
}

// --------------------------------------------------------------------- The end

static void row_end(struct actor *actor, struct row *row)
{
    version_step(&row->version);
    for (; row->kmaps > 0; row->kmaps--) {
        kunmap_range(row->page, row_frames(row));
    }
    version_step(&row->version);
    if (row->page != NULL) {
        row_free(actor, row);
    }
}

void actor_end(struct actor *actor)
{
    bool (*const any)(const struct row *) = row_has_page;
    while (row_choose(actor, any) != NULL) {
        actor_vunmap(actor);
        struct row *row = row_choose(actor, row_has_page);
        if (row->area == 0) {
            row_end(actor, row);
        }
    }
}
