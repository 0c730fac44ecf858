// SPDX-License-Identifier: MIT
//
// Brackets by operation: the slots of a thread count how often each was used.
#include "keyhole.h"
#include "mm/bracket.h"

struct map_operation *map_operations;

static uint64_t brackets_of_thread(void)
{
    const struct bracket_level *level = bracket_thread_level();
    uint64_t count = 0;
    for (unsigned i = 0; i < BRACKETS_MAX; i++) {
        count += level->bracket[i].count;
    }
    return count;
}

// On the list of all, once.
static void operation_list(struct map_operation *operation)
{
    if (__atomic_exchange_n(&operation->listed, true, __ATOMIC_ACQ_REL)) {
        return;
    }
    operation->next = __atomic_load_n(&map_operations, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&map_operations, &operation->next,
                                        operation, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
    }
}

struct map_operation_run map_operation_begin_(struct map_operation *operation)
{
    operation_list(operation);
    return (struct map_operation_run){
        .operation = operation,
        .brackets = brackets_of_thread(),
    };
}

void map_operation_end_(struct map_operation_run *run)
{
    struct map_operation *operation = run->operation;
    uint64_t brackets = brackets_of_thread() - run->brackets;
    __atomic_fetch_add(&operation->calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&operation->brackets, brackets, __ATOMIC_RELAXED);
    uint64_t most = __atomic_load_n(&operation->most, __ATOMIC_RELAXED);
    while (brackets > most && !__atomic_compare_exchange_n(
                                  &operation->most, &most, brackets, false,
                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}
