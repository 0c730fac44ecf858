// SPDX-License-Identifier: MIT
//
// A model of many threads, the actors, checked by an owner table: who holds
// which frames, and who has them open and how. Each actor has private domains
// and frames of its own, and takes and gives back frames of shared domains,
// with whatever kmap() and vmap() of them is open: so mappings are handed over.
//
// A row of the table is changed by its holder alone, between two steps of its
// version. Others read it without a lock; what they conclude from it and from a
// probe counts only if the version was even, and the same before and after.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

#define ACTORS_MIN 4
#define ACTORS_MAX 16
#define OWN_DOMAINS 4
#define OWN_ROWS 10
#define SHARED_DOMAINS 4
#define SHARED_ROWS 12
#define ACTOR_BRACKETS 20
#define BRACKET_ROWS 4 // in one bracket
#define AREA_ROWS 3    // in one vmap()
#define ACTOR_DEAD 16
#define ACTOR_LOG 16

#define DOMAIN_SHARED (ACTORS_MAX * OWN_DOMAINS) // the first of them
#define DOMAINS (DOMAIN_SHARED + SHARED_DOMAINS)
#define ROW_SHARED (ACTORS_MAX * OWN_ROWS) // the first of them
#define ROWS (ROW_SHARED + SHARED_ROWS)
#define ROW_NOBODY (-1)

// Where in each frame of a row its word is, and what that is: row and count.
#define WORD_PLACE 0x128
#define WORD(row, count) ((uint64_t)((row) + 1) << 48 | (count))
#define WORD_ROW(word) ((unsigned)((word) >> 48) - 1)
#define WORD_COUNT(word) ((word) & (BIT(48) - 1))

// A few frames side by side, which come and go together.
struct row {
    uint32_t version;  // odd: is being changed
    int32_t holder;    // number of an actor; of a shared row also ROW_NOBODY
    struct page *page; // NULL: none
    unsigned order;
    unsigned domain;   // number
    uint64_t count;    // in the first frame's word; never goes back
    unsigned brackets; // on it, all of them the holder's
    unsigned kmaps;
    uintptr_t area; // of its first frame in a vmap(); 0: none
    uintptr_t area_base;
    bool area_writable;
};

struct actor_bracket {
    uintptr_t address;
    unsigned count; // frames
    unsigned domain;
    bool writable;
    bool special; // in the window
    bool opens;   // its domain's key
    unsigned rows_count;
    struct row *rows[BRACKET_ROWS];
};

struct actor {
    struct owners *owners;
    struct thread *thread;
    unsigned number;
    uint32_t version; // of `window`, as a row's
    uintptr_t window; // of its innermost private bracket in its window, or 0
    uint64_t random;
    unsigned depth;
    struct actor_bracket brackets[ACTOR_BRACKETS];
    uintptr_t dead[ACTOR_DEAD]; // addresses that were handed out once, a ring
    unsigned dead_next;
    uint64_t steps; // done
    struct {
        const char *name;
        uint64_t about;
        unsigned cpu;
    } log[ACTOR_LOG]; // a ring
    const char *failure;
    uintptr_t failure_address;
};

struct owners {
    unsigned actors;
    uint64_t steps; // of each
    uint64_t until; // and no longer than until this time
    bool failed;    // somebody did: all end
    struct domain *domains[DOMAINS];
    struct row rows[ROWS];
    struct actor actor[ACTORS_MAX];
};

// Run the model, each actor for `steps`, but no longer than until a time
// (clock_now()). False: it failed, and says how. Thread context.
bool model_threads_run(uint64_t seed, uint64_t steps, uint64_t until);

// The owner table of the run that is under way; NULL: none is. Any context.
struct owners *model_threads_owners(void);

// How many steps were done by all runs so far.
uint64_t model_threads_steps(void);

// The next random number, from 0 to below - 1.
uint64_t actor_random(struct actor *actor, uint64_t below);

// Note what went wrong; the first counts.
void actor_fail(struct actor *actor, const char *what, uintptr_t address);

// What the step is about, for its line in the log.
void actor_about(struct actor *actor, uint64_t what);

// Note an address that was handed out and is good no more.
void actor_dead_add(struct actor *actor, uintptr_t address);

// ---- The table.

static inline unsigned row_number(const struct actor *actor,
                                  const struct row *row)
{
    return row - actor->owners->rows;
}

// Around each change of what others conclude from.
static inline void version_step(uint32_t *version)
{
    __atomic_fetch_add(version, 1, __ATOMIC_SEQ_CST);
}

static inline uint32_t version_read(const uint32_t *version)
{
    return __atomic_load_n(version, __ATOMIC_SEQ_CST);
}

// Whether what was read since the version was this counts.
static inline bool version_holds(const uint32_t *version, uint32_t was)
{
    return was % 2 == 0 && version_read(version) == was;
}

static inline size_t row_frames(const struct row *row)
{
    return BIT(row->order);
}

// One of those that the actor holds, at random; NULL: none fits.
struct row *row_choose(struct actor *actor, bool (*fits)(const struct row *));
bool row_has_page(const struct row *row);

// Write the next word where the row's first frame is, which is open to write.
void row_write(struct actor *actor, struct row *row, uintptr_t address);

// ---- Steps, by the file that has them; one that makes no sense now does
// nothing.

// tests/model_threads_frames.c
void actor_alloc(struct actor *actor);
void actor_free(struct actor *actor);
void actor_copy(struct actor *actor);
void actor_take(struct actor *actor);
void actor_give(struct actor *actor);
void actor_domain(struct actor *actor);

// tests/model_threads_maps.c
void actor_open(struct actor *actor);
void actor_close(struct actor *actor);
void actor_kmap(struct actor *actor);
void actor_kunmap(struct actor *actor);
void actor_vmap(struct actor *actor);
void actor_vunmap(struct actor *actor);

// tests/model_threads_check.c. Probe a sample of addresses; and look at what
// another has open for a while, without a write of IA32_PKRS, to see it closed.
void actor_check(struct actor *actor);
void actor_watch(struct actor *actor);

// Close, unmap, free and give back all that it has.
void actor_end(struct actor *actor);
