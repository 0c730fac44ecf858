// SPDX-License-Identifier: MIT
//
// Frames with numbers in them, and exact refusals.
#include "tests/vmap_frames.h"

#include "arch/regs.h"

bool vmap_frames_take(size_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        vmap_frames[i] = alloc_page(domain_ram);
        if (vmap_frames[i] == NULL) {
            vmap_frames_give(i);
            return false;
        }
        memcpy_to_page(vmap_frames[i], 0, &i, sizeof(i));
    }
    return true;
}

void vmap_frames_give(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free_page(vmap_frames[i]);
    }
}

bool vmap_nothing_at(const void *address)
{
    struct fault read, write;
    char byte = 1;
    return !probe_read(address, &byte, 1, &read) &&
           !probe_write((void *)address, &byte, 1, &write) &&
           read.kind == FAULT_NOT_PRESENT && read.access == ACCESS_READ &&
           read.error_code == 0 && read.address == (uintptr_t)address &&
           read.pkey == -1 && write.kind == FAULT_NOT_PRESENT &&
           write.access == ACCESS_WRITE && write.error_code == PF_WRITE &&
           write.address == (uintptr_t)address;
}

bool vmap_area_is_guarded(const void *area, size_t pages)
{
    const char *start = area, *end = start + pages * PAGE_SIZE;
    char byte;
    return probe_read(start, &byte, 1, NULL) &&
           probe_read(end - 1, &byte, 1, NULL) && vmap_nothing_at(start - 1) &&
           vmap_nothing_at(end);
}

uint64_t vmap_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
