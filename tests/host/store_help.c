// SPDX-License-Identifier: MIT
//
// A store for tests, and what is put into it.
#include "tests/host/store_help.h"

#include <stdio.h>
#include <stdlib.h>

const uint8_t store_help_uuid[STORE_UUID_SIZE] = {
    0x4b, 0x65, 0x79, 0x68, 0x6f, 0x6c, 0x65, 0x20,
    0x73, 0x74, 0x6f, 0x72, 0x65, 0x20, 0x30, 0x31,
};

static void demand(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "store_help: %s\n", what);
        abort();
    }
}

int store_help_mount(struct store_help *help, unsigned flags,
                     struct store_problem *problem)
{
    int result =
        store_mount(medium_pages(help->medium), medium_bytes(help->medium),
                    flags, &help->store, problem);

    if (result != 0) {
        help->store = NULL;
    }
    return result;
}

void store_help_make(struct store_help *help, unsigned blocks, unsigned flags)
{
    size_t bytes = (size_t)blocks * STORE_BLOCK_SIZE;

    help->medium = medium_create(bytes);
    demand(store_format(medium_pages(help->medium), bytes, store_help_uuid,
                        false) == 0,
           "format");
    demand(store_help_mount(help, flags, NULL) == 0, "mount");
}

int store_help_remount(struct store_help *help, unsigned flags)
{
    demand(store_unmount(help->store) == 0, "unmount");
    help->store = NULL;
    return store_help_mount(help, flags, NULL);
}

void store_help_end(struct store_help *help)
{
    if (help->store != NULL) {
        demand(store_unmount(help->store) == 0, "unmount");
    }
    medium_destroy(help->medium);
    help->store = NULL;
    help->medium = NULL;
}

void store_help_flip(struct store_help *help, size_t offset, uint8_t bits)
{
    uint8_t byte;

    medium_read(help->medium, offset, &byte, 1);
    byte ^= bits;
    medium_write(help->medium, offset, &byte, 1);
}

uint64_t store_help_random(uint64_t *state)
{
    uint64_t x = *state += 0x9e3779b97f4a7c15ull; // splitmix64

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

void store_help_fill(uint8_t *value, size_t size, uint64_t seed)
{
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++) {
        if (i % 8 == 0) {
            word = store_help_random(&seed);
        }
        value[i] = (uint8_t)(word >> i % 8 * 8);
    }
}

static void print(void *arg, const struct store_problem *problem)
{
    (void)arg;
    printf("# block %llu: %s\n", (unsigned long long)problem->block,
           problem->text);
}

bool store_help_check(struct store *store, struct store_check *check)
{
    return store_check(store, check, print, NULL) == 0;
}
