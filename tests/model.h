// SPDX-License-Identifier: MIT
//
// A plain model of who may touch which frame: random steps are done to the
// kernel and to the model, and the kernel must then allow and refuse what the
// model says. What a bracket opens of the direct map differs by engine
// (tests/engines.h): under `pks` all frames behind the same key. All else is
// the same everywhere, and so is the hash of it (model_fold()).
#pragma once

#include "keyhole.h"
#include "lib/types.h"

#define MODEL_DOMAINS 24 // more than there are keys; number 0 is domain_ram
#define MODEL_BLOCKS 48
#define MODEL_BLOCK_FRAMES 8 // of a block that are used, from its first on
#define MODEL_BRACKETS 26    // of the thread, more than there are keys
#define MODEL_IN_HANDLERS 8  // in all handlers at a time
#define MODEL_AREAS 24
#define MODEL_AREA_FRAMES 8
#define MODEL_DEAD 64
#define MODEL_LOG 40

// A block that alloc_pages() gave.
struct model_block {
    struct page *page; // NULL: none
    unsigned order;
    unsigned domain;                  // number
    unsigned users;                   // mappings of any kind that are open
    uint64_t tag[MODEL_BLOCK_FRAMES]; // what each frame holds at its place
    unsigned kmaps[MODEL_BLOCK_FRAMES];
};

struct model_frame {
    unsigned block, index;
};

// Frames at contiguous addresses: from vmap(), vmap_range(), or any of the
// local calls.
struct model_map {
    uintptr_t address; // 0: none
    unsigned count;
    bool writable;
    bool opens_domain; // a local bracket whose domain has a key
    struct model_frame frames[MODEL_AREA_FRAMES];
};

enum model_rights { MODEL_NONE, MODEL_READ, MODEL_WRITE, MODEL_UNKNOWN };

struct model_log {
    uint32_t step;
    const char *name;
    uint64_t about; // an address, or what the step is about
};

struct model {
    uint64_t random;
    struct domain *domains[MODEL_DOMAINS];
    struct model_block blocks[MODEL_BLOCKS];
    struct model_map areas[MODEL_AREAS];
    struct model_map brackets[MODEL_BRACKETS + MODEL_IN_HANDLERS];
    unsigned depth, base; // those below `base` are the interrupted contexts'
    uintptr_t dead[MODEL_DEAD]; // addresses that were handed out once, a ring
    unsigned dead_next;
    // Of ranges that vunmap() took back: what must be flushed before an address
    // is given again.
    struct model_retired {
        uintptr_t address;
        unsigned count;
        uint64_t flushes; // done when it was taken back
    } retired[MODEL_DEAD];
    unsigned retired_next;
    struct model_log log[MODEL_LOG]; // a ring
    uint64_t steps;                  // done
    // Ranges end with their first block. Otherwise they go on where another
    // lies behind it, which no two engines have in common.
    bool one_block;
    uint64_t hash;       // of steps and outcomes
    const char *failure; // NULL: none
    uintptr_t failure_address;
};

// The next random number, from 0 to below - 1.
uint64_t model_random(struct model *model, uint64_t below);

// Note what went wrong; the first counts.
void model_fail(struct model *model, const char *what, uintptr_t address);

// What the step is about, for its line in the log.
void model_about(struct model *model, uint64_t what);

// Make a number a part of the hash of the run: it depends on the seed alone,
// and on nothing that an engine may choose, like where frames are.
void model_fold(struct model *model, uint64_t number);

// Fold what is in use and open now.
void model_fold_state(struct model *model);

// Note an address that was handed out and is good no more.
void model_dead_add(struct model *model, uintptr_t address);

// Do the step of this number, as `seed` says, to the kernel and the model.
void model_step(struct model *model, uint64_t seed, uint32_t step);

// Probe a sample of addresses, live and dead ones, in the kernel and compare.
void model_check(struct model *model);

// Read and write an address, and compare. `address` is any in a page. Returns
// what went through: 1 a read, 2 a write; 0 also where the model does not know.
unsigned model_probe(struct model *model, uintptr_t address);

// Where in a frame its tag is: the places differ from frame to frame.
size_t model_place(const struct page *page);

// A block in use, chosen at random; NULL: there is none.
struct model_block *model_block(struct model *model);

// The frame of a physical address, if it is one of the model's.
bool model_frame_find(const struct model *model, phys_addr_t physical,
                      struct model_frame *frame);

// Close, unmap, free and destroy all that there is.
void model_end(struct model *model);

// ---- Steps, by the file that has them. Each does one call, or a few, and
// notes in the model what it means; one that makes no sense now (nothing to
// free, no room) does nothing.

// tests/model_maps.c. Opening and closing: in handlers too.
void model_open(struct model *model);
void model_close(struct model *model);
void model_kmap(struct model *model);
void model_kunmap(struct model *model);
void model_vmap(struct model *model);
void model_vunmap(struct model *model);

// Forget an innermost bracket that is closed.
void model_closed(struct model *model);

// tests/model_frames.c, the first four thread context.
void model_create(struct model *model);
void model_destroy(struct model *model);
void model_alloc(struct model *model);
void model_free(struct model *model);
void model_copy(struct model *model);

// tests/model_hostile.c: handlers that bracket, code that is abandoned in its
// brackets, and calls that must be refused.
void model_handler(struct model *model);
void model_abandon(struct model *model);
void model_misuse(struct model *model);

// Do so many steps from the beginning, in the kernel and in a new model. False:
// they do not agree; the test has failed, and says how (tests/test_model.c).
// Prints no hash: it has ranges of several blocks.
bool model_sequence_run(uint64_t seed, uint32_t steps);

// How many frames of a block the model uses.
static inline unsigned model_frames(const struct model_block *block)
{
    return MIN(BIT(block->order), MODEL_BLOCK_FRAMES);
}

static inline struct page *model_page(const struct model *model,
                                      struct model_frame frame)
{
    return model->blocks[frame.block].page + frame.index;
}
