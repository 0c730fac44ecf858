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

// Page tables by physical address, mapped read-only, under engines whose direct
// map does not have them.
#define TABLES_MAP_BASE 0xffffb00000000000ull
#define TABLES_MAP_SIZE DIRECT_MAP_SIZE

// Mappings that tests make for themselves and take away again.
#define TEST_REGION_BASE 0xffffc00000000000ull
#define TEST_REGION_SIZE GIB(512)

// Windows that each CPU has for what it runs alone (mm/exact.c).
#define EXACT_WINDOWS_BASE 0xffffd00000000000ull
#define EXACT_WINDOWS_SIZE GIB(512)

// One struct page for each frame of RAM. The base is chosen so that the
// address of a struct page, shifted left by 8, is the address of its frame in
// the direct map: 16 bytes a frame, 4096 bytes in it (docs/TRICKS.md).
#define FRAME_TABLE_BASE 0xffffff8000000000ull
#define FRAME_TABLE_SHIFT 8
#define FRAME_TABLE_SIZE (DIRECT_MAP_SIZE >> FRAME_TABLE_SHIFT)

// What vmap() remembers of each range, by size class.
#define VMAP_SLOTS_BASE 0xffffffa000000000ull
#define VMAP_SLOTS_SIZE GIB(64)

// Who last opened or closed each frame by kmap(): 4 bytes a frame.
#define KMAP_SITES_BASE 0xffffffb000000000ull
#define KMAP_SITES_SIZE (DIRECT_MAP_SIZE / 1024)

// What the memory manager keeps for each thread (mm/context.h), and the windows
// of all threads but the first ones.
#define MM_CONTEXTS_BASE 0xffffffb800000000ull
#define MM_CONTEXTS_SIZE MIB(16)
#define MORE_WINDOWS_BASE 0xffffffb900000000ull
#define MORE_WINDOWS_SIZE GIB(16)

// The heap. Small objects lie in slabs of 16 KiB; apart from them, so that no
// object's overflow reaches it, is what is known of each slab and of each 16
// bytes of slab. Large objects have a span for each power of two of pages. All
// of it is address space: memory comes when it is asked for.
#define HEAP_SLABS_BASE 0xffffffc000000000ull
#define HEAP_SLABS_SIZE GIB(32)
#define HEAP_HEADERS_BASE 0xffffffc800000000ull
#define HEAP_HEADERS_SIZE GIB(1)
#define HEAP_LARGE_BASE 0xffffffd000000000ull
#define HEAP_LARGE_SIZE GIB(160)
// The address of an object, shifted right by 4, is that of its state.
#define HEAP_STATES_BASE 0xfffffffc00000000ull
#define HEAP_STATES_SHIFT 4
#define HEAP_STATES_SIZE (HEAP_SLABS_SIZE >> HEAP_STATES_SHIFT)

// Stacks made at run time, an eighth for each size, and what is known of each.
// Nothing lies right behind the first: the last stack's guard is there.
#define STACKS_BASE 0xfffffffd00000000ull
#define STACKS_SIZE GIB(2)
#define STACK_SLOTS_BASE 0xfffffffe00000000ull
#define STACK_SLOTS_SIZE MIB(16)

// The kernel image, at KERNEL_BASE plus its physical address.
#define IMAGE_REGION_BASE 0xffffffff80000000ull
#define IMAGE_REGION_SIZE GIB(1)

// struct domain by number.
#define DOMAIN_TABLE_BASE 0xffffffffc0000000ull
#define DOMAIN_TABLE_SIZE KIB(512)

// What brackets look up by domain: domain_write_, then domain_read_.
#define DOMAIN_RIGHTS_BASE 0xffffffffc0080000ull
#define DOMAIN_RIGHTS_SIZE KIB(128)

// What the allocator looks up by domain: domain_fill_.
#define DOMAIN_FILL_BASE 0xffffffffc00a0000ull
#define DOMAIN_FILL_SIZE KIB(16)

// What tests share (tests/scratch.h).
#define TEST_SCRATCH_BASE 0xffffffffc00b0000ull
#define TEST_SCRATCH_SIZE KIB(80)

// Registers of devices that the kernel itself drives, uncached. One page table
// serves these, the domains, and the blocks of the first 64 GiB.
#define DEVICE_REGION_BASE 0xffffffffc0100000ull
#define DEVICE_REGION_SIZE KIB(512)

// What is known of each 2 MiB of memory that domains have (mm/blocks.c).
#define BLOCK_TABLE_BASE 0xffffffffc0180000ull
#define BLOCK_TABLE_SIZE MIB(128)

// Where kmap_local_pages() puts scattered frames: one window for each thread.
#define LOCAL_WINDOWS_BASE 0xffffffffd0000000ull
#define LOCAL_WINDOWS_SIZE MIB(512)

#define LAYOUT_BEFORE(a, b)                                                    \
    _Static_assert(a##_BASE + a##_SIZE <= b##_BASE, #a " overlaps " #b)

LAYOUT_BEFORE(DIRECT_MAP, KMAP);
LAYOUT_BEFORE(KMAP, VMAP);
LAYOUT_BEFORE(VMAP, TABLES_MAP);
LAYOUT_BEFORE(TABLES_MAP, TEST_REGION);
LAYOUT_BEFORE(TEST_REGION, EXACT_WINDOWS);
LAYOUT_BEFORE(EXACT_WINDOWS, FRAME_TABLE);
LAYOUT_BEFORE(FRAME_TABLE, VMAP_SLOTS);
LAYOUT_BEFORE(VMAP_SLOTS, KMAP_SITES);
LAYOUT_BEFORE(KMAP_SITES, MM_CONTEXTS);
LAYOUT_BEFORE(MM_CONTEXTS, MORE_WINDOWS);
LAYOUT_BEFORE(MORE_WINDOWS, HEAP_SLABS);
LAYOUT_BEFORE(HEAP_SLABS, HEAP_HEADERS);
LAYOUT_BEFORE(HEAP_HEADERS, HEAP_LARGE);
LAYOUT_BEFORE(HEAP_LARGE, HEAP_STATES);
LAYOUT_BEFORE(HEAP_STATES, STACKS);
LAYOUT_BEFORE(STACKS, STACK_SLOTS);
LAYOUT_BEFORE(STACK_SLOTS, IMAGE_REGION);
LAYOUT_BEFORE(IMAGE_REGION, DOMAIN_TABLE);
LAYOUT_BEFORE(DOMAIN_TABLE, DOMAIN_RIGHTS);
LAYOUT_BEFORE(DOMAIN_RIGHTS, DOMAIN_FILL);
LAYOUT_BEFORE(DOMAIN_FILL, TEST_SCRATCH);
LAYOUT_BEFORE(TEST_SCRATCH, DEVICE_REGION);
LAYOUT_BEFORE(DEVICE_REGION, BLOCK_TABLE);
LAYOUT_BEFORE(BLOCK_TABLE, LOCAL_WINDOWS);
_Static_assert(FRAME_TABLE_BASE << FRAME_TABLE_SHIFT == DIRECT_MAP_BASE,
               "a struct page's address shifted is its frame's address");
_Static_assert((int64_t)HEAP_SLABS_BASE >> HEAP_STATES_SHIFT ==
                   (int64_t)HEAP_STATES_BASE,
               "an object's address shifted is its state's address");
_Static_assert(STACKS_BASE + STACKS_SIZE < STACK_SLOTS_BASE,
               "the last stack has a guard behind it");
_Static_assert(KERNEL_BASE == IMAGE_REGION_BASE, "arch/asm.h");
