// SPDX-License-Identifier: MIT
//
// Every virtual region of the kernel, disjoint by assertion. The lower half of
// the address space is empty: nothing is ever mapped at address 0.
#pragma once

#include "arch/asm.h"
#include "lib/types.h"

// All RAM, closed by key. As long as the RAM that the kernel can use.
#define DIRECT_MAP_BASE 0xffff800000000000ull
#define DIRECT_MAP_SIZE TIB(16)

// kmap(): every frame has one address here, mapped while somebody has it open.
#define KMAP_BASE 0xffff900000000000ull
#define KMAP_SIZE DIRECT_MAP_SIZE

// vmap(): a part for each size class of ranges (mm/vmap.c).
#define VMAP_BASE 0xffffa00000000000ull
#define VMAP_SIZE TIB(16)

// Mappings that tests make for themselves and take away again.
#define TEST_REGION_BASE 0xffffc00000000000ull
#define TEST_REGION_SIZE GIB(512)

// One struct page for each frame of RAM. The base is chosen so that the
// address of a struct page, shifted left by 8, is the address of its frame in
// the direct map: 16 bytes a frame, 4096 bytes in it (docs/TRICKS.md).
#define FRAME_TABLE_BASE 0xffffff8000000000ull
#define FRAME_TABLE_SHIFT 8
#define FRAME_TABLE_SIZE (DIRECT_MAP_SIZE >> FRAME_TABLE_SHIFT)

// What vmap() remembers of each range, by size class.
#define VMAP_SLOTS_BASE 0xffffffa000000000ull
#define VMAP_SLOTS_SIZE GIB(64)

// The kernel image, at KERNEL_BASE plus its physical address.
#define IMAGE_REGION_BASE 0xffffffff80000000ull
#define IMAGE_REGION_SIZE GIB(1)

// struct domain by number.
#define DOMAIN_TABLE_BASE 0xffffffffc0000000ull
#define DOMAIN_TABLE_SIZE KIB(512)

// Where kmap_local_pages() puts scattered frames: one window for each thread.
#define LOCAL_WINDOWS_BASE 0xffffffffd0000000ull
#define LOCAL_WINDOWS_SIZE MIB(512)

#define LAYOUT_BEFORE(a, b)                                                    \
    _Static_assert(a##_BASE + a##_SIZE <= b##_BASE, #a " overlaps " #b)

LAYOUT_BEFORE(DIRECT_MAP, KMAP);
LAYOUT_BEFORE(KMAP, VMAP);
LAYOUT_BEFORE(VMAP, TEST_REGION);
LAYOUT_BEFORE(TEST_REGION, FRAME_TABLE);
LAYOUT_BEFORE(FRAME_TABLE, VMAP_SLOTS);
LAYOUT_BEFORE(VMAP_SLOTS, IMAGE_REGION);
LAYOUT_BEFORE(IMAGE_REGION, DOMAIN_TABLE);
LAYOUT_BEFORE(DOMAIN_TABLE, LOCAL_WINDOWS);
_Static_assert(FRAME_TABLE_BASE << FRAME_TABLE_SHIFT == DIRECT_MAP_BASE,
               "a struct page's address shifted is its frame's address");
_Static_assert(KERNEL_BASE == IMAGE_REGION_BASE, "arch/asm.h");
