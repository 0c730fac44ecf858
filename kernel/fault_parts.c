// SPDX-License-Identifier: MIT
//
// What is looked up for a fault report, whatever its form.
#include "kernel/fault_parts.h"

#include "mm/image.h"
#include "mm/watch.h"

const struct watch *fault_watch(const struct fault *fault)
{
    return fault->page != NULL ? watch_of(fault->page) : NULL;
}

bool fault_mapping(const struct fault *fault, const struct page *page,
                   struct long_map *map)
{
    return long_map_at(fault->address, map) ||
           (page != NULL && long_map_of(page, map));
}

const uint8_t *fault_code(uintptr_t ip)
{
    uintptr_t first = ip - FAULT_CODE_BEFORE;
    return image_is_text(first) && image_is_text(first + FAULT_CODE_BYTES)
               ? (const uint8_t *)first
               : NULL;
}
