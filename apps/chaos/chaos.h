// SPDX-License-Identifier: MIT
//
// Chaos: writes that nobody meant, into the memory of a store that is at work.
// What the parts of the application share.
//
// Workers use the store and know what must be in it (work.c, model.c). Holders
// have blocks of it open, and write nothing. Culprits stray: threads
// (culprit.c), and handlers that interrupt all of these (handlers.c). At the
// end every byte is compared (verify.c).
#pragma once

#include "apps/store/store.h"
#include "kernel/mutex.h"
#include "lib/types.h"

// Where a stray write comes from, and where it goes.
enum stray {
    // A thread with nothing open, unless something else is said.
    STRAY_RANDOM,      // the direct map, anywhere in the store
    STRAY_STALE,       // its own pointer, of a bracket that is closed
    STRAY_STALE_LIST,  // the same, of kmap_local_pages()
    STRAY_STALE_KMAP,  // the same, of kmap()
    STRAY_LENT,        // the pointer of a bracket of another thread
    STRAY_READ_ONLY,   // through a read-only bracket that is open
    STRAY_BEYOND,      // right before or behind such a bracket
    STRAY_WRONG_FRAME, // the direct map, with a frame of RAM open to write
    STRAY_MEMSET,      // over the end of the one frame that kmap() gave
    STRAY_LONG,        // through a vmap_range() that may read
    STRAY_PLAIN,       // the first, as a plain store that nobody probes
    // A handler.
    STRAY_CALL,   // of cpu_call()
    STRAY_TIMER,  // of the timer
    STRAY_NMI,    // of cpu_nmi()
    STRAY_FROZEN, // inside a bracket of its own, on what a commit has frozen
    // From a bracket to write, right before or behind it: other frames of the
    // same domain. Not in the store: `pks` lets it pass.
    STRAY_SAME_DOMAIN,
    STRAYS,
};

struct stray_count {
    uint64_t tried, refused, through;
    uint64_t named; // of the refused: the fault names the frame, and who wrote
    uint64_t odd;   // of the refused: the fault says what is not so
};

// Who strays: a thread, or handlers that do not interrupt one another.
struct culprit {
    uint64_t random;
    unsigned number;
    enum stray next;
    struct page *own; // a frame of RAM
    uint8_t *reading; // a long-lived mapping of frames from `read` on
    struct page *read;
    uint8_t *header, *stale; // of kmap(): open, and closed again
    struct page *stale_page;
    unsigned stale_uses;
    struct thread *thread;
};

// What workers see, and do.
struct work_count {
    uint64_t commits, aborts, reads;
    uint64_t errors; // calls that fail
    uint64_t wrong;  // answers that are not what is in the model
};

// What the end of a round finds; sums over rounds.
struct verdict {
    uint64_t rounds;
    uint64_t unmountable; // rounds
    uint64_t found;       // blocks that store_check() finds damaged
    uint64_t hit;         // blocks that a stray write has reached
    uint64_t right;       // keys, of the head and of a snapshot
    uint64_t wrong;       // keys with another value, and nobody says so
    uint64_t lost;        // keys that cannot be read: there is an error
    uint64_t extra;       // keys that must not be there
};

#define LENT 16
#define SCRATCH_BLOCKS 16 // behind the store, in the same domain
#define BLOCK_FRAMES (STORE_BLOCK_SIZE / PAGE_SIZE)

struct chaos {
    uint64_t strays, seed;
    unsigned workers, rounds;

    // The store, and where it is.
    struct page *first;
    size_t frames;
    struct store *store;

    bool stop;    // atomic: the round is over
    bool patient; // go on after damage is seen
    int64_t left; // atomic: strays
    const uint8_t *lent[LENT];
    struct page *recent[LENT]; // frames that were read lately

    struct stray_count count[STRAYS];
    uint64_t inside;   // of handlers: the store was open in what they stopped
    uint64_t *touched; // blocks that were reached, by bits
    struct work_count work;
    struct verdict verdict;
};

extern struct chaos chaos;

// ------------------------------------------------------------------ Small ones

static inline bool chaos_stops(void)
{
    return __atomic_load_n(&chaos.stop, __ATOMIC_RELAXED);
}

static inline void chaos_count(uint64_t *counter, uint64_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

// The next number of a sequence; `state` is not 0. Any context.
static inline uint64_t chaos_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545f4914f6cdd1dull >> 16;
}

// The beginning of a sequence of the boot's own, by a number.
uint64_t chaos_seed(uint64_t number);

// Where the store is in the direct map. Any context.
static inline uint8_t *chaos_direct(size_t frame)
{
    return page_direct_map_address(chaos.first + frame);
}

// Note damage: the round is over, unless it is the last.
void chaos_damage(void);

// ----------------------------------------------------------------------
// model.c

// Every key has one worker who changes it. A value is a function of the key's
// number and a version, so all of it is known.
struct model_key {
    uint32_t version; // 0: not there
    uint32_t last;    // the newest that was ever tried
};

extern struct model_key *model_keys, *model_snapshot;
extern unsigned model_count;

// Between changes of the store and of the model.
extern struct mutex model_lock;

// Make the model empty, with so many keys. False: out of memory.
bool model_make(unsigned count);

// Put every key into the store, before others use it. False: it is full.
bool model_fill(void);

void model_key_of(unsigned number, struct store_key *key);
// Its number, or model_count: it is none of the model's.
unsigned model_number_of(const struct store_key *key);

// Fill in the value of a version, at most STORE_VALUE_MAX bytes; its size.
size_t model_value(unsigned number, uint32_t version, uint8_t *value);

// Whether that is the value of a version; 0: of the one that it says itself.
bool model_value_is(unsigned number, uint32_t version, const uint8_t *value,
                    size_t size);

// ------------------------------------------------------------------- The
// others

// Threads of work.c and culprit.c: fn(arg) until the round is over.
int worker_run(void *number);
int holder_run(void *number);
int culprit_run(void *culprit);

// Which threads cause handlers to stray.
int caller_run(void *culprit);
int nmi_sender_run(void *culprit);

// Take one of the strays that are left. False: there is none, the round is
// over. Any context.
bool stray_take(void);

// Where a stray write goes: `page` is the frame that is behind the first byte
// that must be refused, `skip` bytes from the first.
struct aim {
    uint8_t *address;
    size_t length, skip;
    struct page *page;
};

#define STRAY_LENGTH_MAX 64

// Count what came of a stray write. `blamed`: it is known who it was. Any
// context.
void stray_note(enum stray kind, const struct aim *aim, bool through,
                const struct fault *fault, bool blamed);

// Write there, without being stopped, and count what comes of it. Any context.
void stray_write(enum stray kind, struct culprit *culprit,
                 const struct aim *aim);

// Aim somewhere in the store, in the direct map, and often where it was read
// lately. Any context.
void stray_aim(struct culprit *culprit, struct aim *aim);

const char *stray_name(enum stray kind);

// Compare the store with the model, check it, and add to the verdict. Unmounts.
void verify_round(void);

// The table and a line of JSON. Whether the engine keeps what it promises.
bool report_print(void);
