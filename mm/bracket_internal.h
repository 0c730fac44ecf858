// SPDX-License-Identifier: MIT
//
// What the files about brackets share: the sentinel, and calls that the hot
// paths make without becoming more than leaves.
#pragma once

#include "arch/cpu.h"
#include "mm/bracket.h"

// Call a function that does not return, in a way that lets the compiler take
// the caller for a leaf: it then keeps no frame pointer, which is a tenth of a
// bracket's instructions.
#define COLD_CALL(function, a, b)                                              \
    do {                                                                       \
        __asm__ volatile("call " #function : : "D"(a), "S"(b) : "memory");     \
        __builtin_unreachable();                                               \
    } while (0)

// The same for a function that does return, a number.
#define COLD_CALL_AND_BACK(function, a, b, result)                             \
    do {                                                                       \
        uint64_t rdi_, rsi_;                                                   \
        __asm__ volatile("call " #function                                     \
                         : "=D"(rdi_), "=S"(rsi_), "=a"(result)                \
                         : "0"(a), "1"((uint64_t)(b))                          \
                         : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory",   \
                           "cc");                                              \
    } while (0)

static inline bool bracket_is_sentinel(const struct bracket *bracket)
{
    return bracket->address == BRACKET_SENTINEL;
}

// What debug builds remember on top.
static inline void bracket_stamp(struct bracket *bracket)
{
#ifdef KEYHOLE_DEBUG
    bracket->map_time = (uint32_t)(cpu_read_tsc() / BRACKET_TIME_UNIT);
#else
    (void)bracket;
#endif
}

// The rest of a map call on a frame of a domain that has no key: get it one, or
// open the bracket through the window. Also finds frames without a domain, and
// reports them. The slot is filled and counted. Returns the address.
uintptr_t bracket_open_parked(struct bracket *bracket, bool writable);

// kunmap_local() of a bracket that is more than a change of rights: a window,
// or the sentinel that nobody may close.
void bracket_close_special(struct bracket *bracket, uintptr_t site);
