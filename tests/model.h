// SPDX-License-Identifier: MIT
//
// A plain model of who may touch which frame: random steps are done to the
// kernel and to the model, and the kernel must then allow and refuse what the
// model says. Under `pks` rights are at the grain of a key: a bracket on one
// frame opens the direct map of all frames behind the same key.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

#define MODEL_DOMAINS 24 // more than there are keys; number 0 is domain_ram
#define MODEL_BLOCKS 48
#define MODEL_ORDERS 4
#define MODEL_BLOCK_FRAMES 8 // of the largest order
#define MODEL_BRACKETS 8
#define MODEL_AREAS 24
#define MODEL_AREA_FRAMES 8
#define MODEL_DEAD 64
#define MODEL_LOG 20

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
    struct model_map brackets[MODEL_BRACKETS];
    unsigned depth;
    uintptr_t dead[MODEL_DEAD]; // addresses that were handed out once, a ring
    unsigned dead_next;
    struct model_log log[MODEL_LOG]; // a ring
    uint64_t steps;                  // done
    const char *failure;             // NULL: none
    uintptr_t failure_address;
};

// The next random number, from 0 to below - 1.
uint64_t model_random(struct model *model, uint64_t below);

// Note what went wrong; the first counts.
void model_fail(struct model *model, const char *what, uintptr_t address);

// Do the step of this number, as `seed` says, to the kernel and the model.
void model_step(struct model *model, uint64_t seed, uint32_t step);

// Probe a sample of addresses, live and dead ones, in the kernel and compare.
void model_check(struct model *model);

// Read and write an address, and compare. `address` is any in a page.
void model_probe(struct model *model, uintptr_t address);

// Where in a frame its tag is: the places differ from frame to frame.
size_t model_place(const struct page *page);

// A block in use, chosen at random; NULL: there is none.
struct model_block *model_block(struct model *model);

// Close, unmap, free and destroy all that there is.
void model_end(struct model *model);

static inline struct page *model_page(const struct model *model,
                                      struct model_frame frame)
{
    return model->blocks[frame.block].page + frame.index;
}
