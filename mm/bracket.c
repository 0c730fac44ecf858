// SPDX-License-Identifier: MIT
//
// What a local bracket means: a frame opens for this thread, rights of nested
// brackets add up, and closing one takes back only what it gave. The hot paths
// are in keyhole.h; here are the slots that they use.
#include "mm/bracket.h"

#include "arch/pks.h"
#include "mm/bracket_internal.h"
#include "mm/bracket_misuse.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/misuse.h"

static struct bracket_handlers boot_handlers __aligned(64);

// A slot that nobody opens or closes.
static void nobody_init(struct bracket *bracket, uint32_t rights)
{
    bracket->address = BRACKET_NOBODY;
    bracket->rights = rights;
    bracket->more_frames = -1;
    bracket->count = INT64_MIN;
}

void bracket_stack_init(struct bracket_stack *stack, uint32_t rights)
{
    nobody_init(&stack->below, ~0u);
    nobody_init(&stack->thread.sentinel, rights);
    stack->thread.sentinel.interrupted = NULL;
    nobody_init(&stack->thread.end, ~0u);
    for (unsigned i = 0; i < BRACKETS_MAX; i++) {
        stack->thread.bracket[i].map_site = 0; // nobody remembers another's
    }
}

__init void handler_brackets_init(struct bracket_handlers *handlers)
{
    nobody_init(&handlers->below, ~0u);
    for (unsigned i = 0; i < ARRAY_SIZE(handlers->level); i++) {
        nobody_init(&handlers->level[i].sentinel, PKRS_CLOSED);
        nobody_init(&handlers->level[i].end, ~0u);
    }
    percpu.handler_first = &handlers->level[0].sentinel;
    percpu.handler_next = percpu.handler_first;
}

struct bracket_handlers *handler_brackets_boot(void)
{
    return &boot_handlers;
}

__init void handler_brackets_init_boot(void)
{
    handler_brackets_init(&boot_handlers);
}

uint64_t handler_brackets_outermost(void)
{
    uint64_t outermost = 0;
    for (unsigned cpu = 0; cpu < cpus_count; cpu++) {
        const struct bracket_level *level =
            CONTAINER_OF(cpu_data_of(cpu)->handler_first,
                         const struct bracket_level, sentinel);
        for (unsigned i = 0; i < HANDLER_LEVELS; i++) {
            outermost += level[i].bracket[0].count;
        }
    }
    return outermost;
}
