// SPDX-License-Identifier: MIT
//
// What must be true of a boot_info that a parser accepted, whatever it read.
#pragma once

#include "lib/boot_info.h"
#include "tests/host/fuzz.h"

static inline void fuzz_check_boot_info(const struct boot_info *boot)
{
    const struct memory_map *map = &boot->memory;

    FUZZ_ASSERT(memchr(boot->cmdline, 0, sizeof(boot->cmdline)) != NULL,
                "the command line is not terminated");
    FUZZ_ASSERT(memchr(boot->loader, 0, sizeof(boot->loader)) != NULL,
                "the loader's name is not terminated");
    FUZZ_ASSERT(boot->rsdp_length == 0 || boot->rsdp_length == 20 ||
                    boot->rsdp_length == 36,
                "no root pointer has this length");
    FUZZ_ASSERT(memory_map_total(map, MEMORY_USABLE) > 0, "no memory");
    FUZZ_ASSERT(map->count <= MEMORY_RANGES_MAX, "too many ranges");
    for (unsigned i = 0; i < map->count; i++) {
        FUZZ_ASSERT(map->ranges[i].base < map->ranges[i].end, "empty range");
        FUZZ_ASSERT(i == 0 || map->ranges[i - 1].end <= map->ranges[i].base,
                    "ranges overlap");
    }
}
