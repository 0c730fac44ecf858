// SPDX-License-Identifier: MIT
//
// The numbers that a debugger needs and that no type has: where regions lie,
// what the bits of entries and registers are called. An enumeration, which is
// in the debug information alone: no byte of the image is made of this file. It
// is compiled so that types are kept that nobody uses; tools/gdb reads them,
// and those of the headers below, by name.
#include "arch/pks.h"
#include "arch/pte.h"
#include "arch/regs.h"
#include "mm/bracket.h"
#include "mm/context.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/layout.h"
#include "mm/long_maps.h"
#include "mm/misuse.h"
#include "mm/section.h"
#include "mm/vmap_slots.h"

#define NUMBER(name) DEBUGGER_##name = (name)

// Whether local brackets on frames and ranges leave a trace; not in the second
// kernel of a release image (boot/choose.h).
#ifdef KEYHOLE_OPEN
#define NOTES_BRACKETS 0
#else
#define NOTES_BRACKETS 1
#endif

enum debugger {
    NUMBER(PAGE_SIZE),
    NUMBER(KERNEL_BASE),
    NUMBER(DIRECT_MAP_BASE),
    NUMBER(DIRECT_MAP_SIZE),
    NUMBER(FRAME_TABLE_BASE),
    NUMBER(FRAME_TABLE_SIZE),
    NUMBER(KMAP_BASE),
    NUMBER(KMAP_SIZE),
    NUMBER(KMAP_SITES_BASE),
    NUMBER(VMAP_SLOTS_BASE),
    NUMBER(MM_CONTEXTS_BASE),
    NUMBER(DOMAIN_TABLE_BASE),
    NUMBER(SECTION_SIZE),

    NUMBER(PKS_KEYS),
    NUMBER(DOMAINS_MAX),
    NUMBER(DOMAIN_FREE),

    NUMBER(NOTES_BRACKETS),
    NUMBER(BRACKET_NOBODY),
    NUMBER(BRACKET_SPECIAL),
    NUMBER(LONG_KMAP_MASK),
    NUMBER(CLASS_NUMBERS_SHIFT),
    NUMBER(EXTENT_KIND_SHIFT),

    NUMBER(PTE_P),
    NUMBER(PTE_LOST_P),
    NUMBER(PTE_LOST_RW),
    NUMBER(PTE_RW),
    NUMBER(PTE_US),
    NUMBER(PTE_PWT),
    NUMBER(PTE_PCD),
    NUMBER(PTE_A),
    NUMBER(PTE_D),
    NUMBER(PTE_PS),
    NUMBER(PTE_G),
    NUMBER(PTE_XD),
    NUMBER(PTE_ADDRESS),
    NUMBER(PTE_KEY_SHIFT),
    NUMBER(PTE_KEY_MASK),
    NUMBER(PT_ENTRIES),

    NUMBER(RIGHTS_TABLES_WD),
    NUMBER(CR0_WP),
    NUMBER(CR0_PG),
    NUMBER(CR4_LA57),
    NUMBER(CR4_SMEP),
    NUMBER(CR4_SMAP),
    NUMBER(CR4_PKE),
    NUMBER(CR4_PKS),
};
