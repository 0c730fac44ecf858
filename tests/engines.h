// SPDX-License-Identifier: MIT
//
// What each engine gives, as data: tests check what the running one promises.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/engine.h"
#include "mm/layout.h"

// How much a local bracket on a frame opens.
enum grain { GRAIN_FRAME, GRAIN_DOMAIN, GRAIN_ALL };

struct test_engine {
    // Refusal of a closed frame, and of a write through a read-only bracket:
    // FAULT_NONE where there is none. The error codes are those of a read (a
    // write has PF_WRITE besides), and of that write.
    enum fault_kind closed, read_only;
    uint32_t closed_error, read_only_error;
    // A leaf maps a closed frame: a refusal names key and frame.
    bool closed_has_leaf;
    // A bracket opens nothing for other threads, and for handlers.
    bool others_stay_out;
    // Local brackets on contiguous frames are addresses in the direct map.
    bool brackets_are_direct;
    bool keys; // are lent to domains, and written to IA32_PKRS
    enum grain grain;
    // What a pair of calls on one frame costs, with nothing else open; and for
    // each frame more.
    struct pair_cost {
        unsigned pkrs_writes, pkrs_skipped, pte_writes, invlpg;
    } pair, frame_more;
    // The same where a bracket of the same kind has the frame open already.
    struct pair_cost pair_again;
};

// Of the engine that runs. Any context.
const struct test_engine *test_engine(void);

// Whether local brackets are counted, and their misuses seen: not in the kernel
// for `open` alone.
static inline bool engine_keeps_account(void)
{
#ifdef KEYHOLE_OPEN
    return false;
#else
    return true;
#endif
}

// Give back what fault=relaxed has opened to this thread, as its end does. No
// bracket is open. Thread context.
void test_relaxed_forget(void);

static inline bool engine_refuses(void)
{
    return test_engine()->closed != FAULT_NONE;
}

// Whether the end of a bracket may be a shootdown, which takes long on many
// emulated CPUs.
static inline bool engine_brackets_shoot(void)
{
    return engine_refuses() && !test_engine()->others_stay_out;
}

// How many frames more fit into the window of this context, less the one behind
// them. Thread context.
size_t engine_window_room(void);

// Whether `fault` is all that the engine says of an access to a closed frame
// (or NULL: to one that is not looked at), at `address`. Any context.
bool is_refusal(const struct fault *fault, enum fault_access access,
                const void *address, const struct page *page);

// The same of a write through a read-only bracket.
bool is_read_only_refusal(const struct fault *fault, const void *address,
                          const struct page *page);

// Whether windows lie in page tables that all CPUs share, or each CPU sees
// those alone that it runs.
static inline bool engine_shares_windows(void)
{
    return engine->root == NULL;
}

// Whether there is a direct map of all RAM, closed or not.
static inline bool engine_has_direct_map(void)
{
    return engine->direct_leaf[DIRECT_FREE] != 0;
}

// What the engine does with keys alone.
#define NEEDS_PKS()                                                            \
    do {                                                                       \
        if (!test_engine()->keys) {                                            \
            SKIP("needs pks");                                                 \
        }                                                                      \
    } while (0)

// Where everything is open, nothing can be seen of what is closed.
#define NEEDS_REFUSALS()                                                       \
    do {                                                                       \
        if (!engine_refuses()) {                                               \
            SKIP("open refuses nothing");                                      \
        }                                                                      \
    } while (0)

// Where local brackets are pointers and nothing else, no wrong use of them is
// seen and none of them is counted.
#define NEEDS_ACCOUNT()                                                        \
    do {                                                                       \
        if (!engine_keeps_account()) {                                         \
            SKIP("open in a release build keeps no account of brackets");      \
        }                                                                      \
    } while (0)

#define NEEDS_DIRECT_MAP()                                                     \
    do {                                                                       \
        if (!engine_has_direct_map()) {                                        \
            SKIP("needs a direct map");                                        \
        }                                                                      \
    } while (0)
