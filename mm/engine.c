// SPDX-License-Identifier: MIT
//
// The table of engines, and the calls that each of them answers.
#include "mm/engine.h"

#include "lib/panic.h"
#include "mm/trace.h"

static const struct engine *const engines[] = {
    [PROTECT_PKS] = &engine_pks,
    [PROTECT_EXACT] = &engine_exact,
    [PROTECT_OPEN] = &engine_open,
    [PROTECT_FLIP] = &engine_flip,
};

__ro_after_init const struct engine *engine;

const struct engine *engine_of(enum protect_engine id)
{
    return (unsigned)id < ARRAY_SIZE(engines) ? engines[id] : NULL;
}

uint64_t engine_leaf(uintptr_t address, uint32_t level)
{
    uint64_t leaf = engine->leaf != NULL ? engine->leaf(address, level) : 0;
    return leaf & PTE_P ? leaf : 0;
}

enum protect_engine protect_engine(void)
{
    return engine->id;
}

// A near call: the byte E8, then where to, from behind the instruction.
struct near_call {
    uint8_t opcode;
    int32_t distance;
} __packed;

// What the compiled calls are noted by (keyhole.h, ENGINE_CALL_).
struct noted_call {
    int32_t distance; // from here to the call
    int32_t skip;     // from here to a jump around it; 0: none
    uint32_t kind;
};

// A short jump, and as much of nothing.
#define JUMP_SHORT_ZERO 0x74
static const uint8_t nothing[] = {0x66, 0x90};

// The hooks of the history, in front of what the engine does.
static void (*const hooks[ENGINE_CALLS])(void) = {
    [ENGINE_CALL_MAP] = trace_map_call,
    [ENGINE_CALL_MAP_RANGE] = trace_map_range_call,
    [ENGINE_CALL_UNMAP] = trace_unmap_call,
};

__ro_after_init void (*trace_target[ENGINE_CALLS])(void);

static __init void call_aim(struct near_call *call, void (*target)(void))
{
    call->distance = (int32_t)((uintptr_t)target - (uintptr_t)(call + 1));
}

static __init void call_hook(const struct noted_call *at,
                             struct near_call *call)
{
    uint8_t *skip = (uint8_t *)&at->skip + at->skip;
    call_aim(call, hooks[at->kind]);
    if (at->skip != 0) {
        ASSERT(*skip == JUMP_SHORT_ZERO);
        memcpy(skip, nothing, sizeof(nothing));
    }
}

extern const struct noted_call __engine_calls_start[], __engine_calls_end[];

__init void engine_start(const struct engine *which, bool traced)
{
    engine = which;
    trace_is_on = traced;
    memcpy(trace_target, which->call, sizeof(trace_target));
    for (const struct noted_call *at = __engine_calls_start;
         at < __engine_calls_end; at++) {
        struct near_call *call =
            (struct near_call *)((uintptr_t)at + at->distance);
        ASSERT(call->opcode == 0xe8 && at->kind < ENGINE_CALLS);
        if (traced && hooks[at->kind] != NULL) {
            call_hook(at, call);
        } else if (which->call[at->kind] != NULL) {
            call_aim(call, which->call[at->kind]);
        }
    }
}
