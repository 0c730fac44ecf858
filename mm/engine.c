// SPDX-License-Identifier: MIT
//
// The table of engines, and the calls that each of them answers.
#include "mm/engine.h"

#include "lib/panic.h"

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
    uint32_t kind;
};

extern const struct noted_call __engine_calls_start[], __engine_calls_end[];

__init void engine_start(const struct engine *which)
{
    engine = which;
    for (const struct noted_call *at = __engine_calls_start;
         at < __engine_calls_end; at++) {
        struct near_call *call =
            (struct near_call *)((uintptr_t)at + at->distance);
        ASSERT(call->opcode == 0xe8 && at->kind < ENGINE_CALLS);
        if (which->call[at->kind] != NULL) {
            call->distance = (int32_t)((uintptr_t)which->call[at->kind] -
                                       (uintptr_t)(call + 1));
        }
    }
}
