// SPDX-License-Identifier: MIT
//
// The store that tests damage.
#include "tests/host/damage.h"

#include <stdlib.h>

#include "apps/store/format.h"

struct store_help damaged;

uint64_t damage_seed_of(unsigned i)
{
    return i * 7919ull;
}

void damage_make(void)
{
    static uint8_t value[DAMAGE_SIZE];
    uint64_t id;

    store_help_make(&damaged, DAMAGE_BLOCKS, 0);
    for (unsigned i = 0; i < DAMAGE_KEYS; i++) {
        const struct store_key key = {i, 0, 0};
        store_help_fill(value, DAMAGE_SIZE, damage_seed_of(i));
        if (store_put(damaged.store, &key, value, DAMAGE_SIZE) != 0 ||
            (i == 30 && store_snapshot_take(damaged.store, "s", &id) != 0)) {
            abort();
        }
    }
    if (store_unmount(damaged.store) != 0) {
        abort();
    }
    damaged.store = NULL;
}

static bool is_used(unsigned block)
{
    struct store_node node;

    medium_read(damaged.medium, (size_t)block * STORE_BLOCK_SIZE, &node,
                sizeof(node));
    return node.block == block;
}

static unsigned reported;

static void count(void *arg, const struct store_problem *problem)
{
    (void)arg;
    reported += problem->error == -EUCLEAN && problem->text != NULL;
}

int damage_look(void)
{
    struct store_problem problem;
    struct store_check check;
    int result = store_help_mount(&damaged, 0, &problem);

    if (result != 0) {
        return result;
    }
    reported = 0;
    result = store_check(damaged.store, &check, count, NULL);
    if ((result != 0) != (reported != 0) || reported != check.damaged) {
        result = -EIO; // not what it says
    }
    if (store_unmount(damaged.store) != 0) {
        abort();
    }
    damaged.store = NULL;
    return result;
}

bool damage_is_needed(unsigned block)
{
    size_t offset = (size_t)block * STORE_BLOCK_SIZE;

    if (!is_used(block)) {
        return false;
    }
    store_help_flip(&damaged, offset, 1);
    bool needed = damage_look() == -EUCLEAN;
    store_help_flip(&damaged, offset, 1);
    return needed;
}

unsigned damage_find(bool leaf)
{
    struct store_node node;

    for (unsigned number = 1; number < DAMAGE_BLOCKS; number++) {
        medium_read(damaged.medium, (size_t)number * STORE_BLOCK_SIZE, &node,
                    sizeof(node));
        if (damage_is_needed(number) && (node.level == 0) == leaf) {
            return number;
        }
    }
    return 0;
}
