// SPDX-License-Identifier: MIT
//
// The words that every other file uses: fixed-width types, bits, sizes and
// rounding, and the few compiler attributes by name. No code, no state; builds
// freestanding and on the host.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n) (1ull << (n))
// The bits hi..lo inclusive, both numbered from 0.
#define BITS(hi, lo) ((~0ull >> (63 - (hi))) & (~0ull << (lo)))

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define TIB(n) ((uint64_t)(n) << 40)

// `align` is a power of two in all three.
#define ALIGN_DOWN(x, align) ((x) & ~((__typeof__(x))(align)-1))
#define ALIGN_UP(x, align) ALIGN_DOWN((x) + ((__typeof__(x))(align)-1), align)
#define IS_ALIGNED(x, align) (((x) & ((__typeof__(x))(align)-1)) == 0)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member)                                        \
    ((type *)((char *)(ptr)-offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define __packed __attribute__((packed))
#define __aligned(n) __attribute__((aligned(n)))
#define __noreturn __attribute__((noreturn))
#define __noinline __attribute__((noinline))
#define __cold __attribute__((cold, noinline))
#define __used __attribute__((used))
#define __weak __attribute__((weak))
#define __printf(format_index, first_argument)                                 \
    __attribute__((format(printf, format_index, first_argument)))

// Code and data that only boot needs. The frames behind them are given back,
// and their addresses unmapped, before the first test or application runs.
#ifdef KEYHOLE_HOST
#define __init
#define __initdata
#define __initbss
#define __ro_after_init
#else
// Written while booting, read-only from then on; starts as zeroes.
#define __ro_after_init __attribute__((section(".bss.ro_after_init")))
#define __init __attribute__((section(".init.text"), noinline))
#define __initdata __attribute__((section(".init.data")))
// The same for what starts as zeroes and should take no room in the file.
#define __initbss __attribute__((section(".init.bss")))
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
