// SPDX-License-Identifier: MIT
//
// CRC-32C, by instruction or by table. The instruction takes 8 bytes of memory
// at once; a loop of 32 of them keeps the loop's own instructions out of the
// way. General registers only, so the kernel may use it as it is.
#include "apps/store/crc32c.h"

#define CPUID_1_ECX_SSE4_2 BIT(20)
#define STRIDE 256 // bytes in one turn of the loop

// Half a byte at a time: 64 bytes of table for the CPUs that need one.
static const uint32_t table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
    0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
    0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t more_by_table(uint32_t crc, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    crc = ~crc;
    for (; length > 0; length--, at++) {
        crc ^= *at;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint32_t store_crc32c_by_table(const void *bytes, size_t length)
{
    return more_by_table(0, bytes, length);
}

// What the CPU says does not change: whoever asks first keeps it for all.
static bool has_instruction(void)
{
    static uint8_t known; // 1: no, 2: yes
    uint8_t seen = __atomic_load_n(&known, __ATOMIC_RELAXED);

    if (unlikely(seen == 0)) {
        uint32_t eax = 1, ebx, ecx = 0, edx;
        __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
        seen = ecx & CPUID_1_ECX_SSE4_2 ? 2 : 1;
        __atomic_store_n(&known, seen, __ATOMIC_RELAXED);
    }
    return seen == 2;
}

typedef uint32_t __attribute__((may_alias, aligned(1))) unaligned32_t;
typedef uint64_t __attribute__((may_alias, aligned(1))) unaligned64_t;

static inline uint64_t add4(uint64_t crc, const uint8_t *at)
{
    uint32_t narrow = (uint32_t)crc;

    __asm__("crc32l %1, %0" : "+r"(narrow) : "m"(*(const unaligned32_t *)at));
    return narrow;
}

static inline uint64_t add8(uint64_t crc, const uint8_t *at)
{
    __asm__("crc32q %1, %0" : "+r"(crc) : "m"(*(const unaligned64_t *)at));
    return crc;
}

static inline uint64_t add64(uint64_t crc, const uint8_t *at)
{
    crc = add8(crc, at);
    crc = add8(crc, at + 8);
    crc = add8(crc, at + 16);
    crc = add8(crc, at + 24);
    crc = add8(crc, at + 32);
    crc = add8(crc, at + 40);
    crc = add8(crc, at + 48);
    return add8(crc, at + 56);
}

uint32_t store_crc32c_more(uint32_t before, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint64_t crc = ~before;

    if (unlikely(!has_instruction())) {
        return more_by_table(before, bytes, length);
    }
    // What follows the checksum of a block then is aligned.
    if ((uintptr_t)at % 8 == 4 && length >= 4) {
        crc = add4(crc, at);
        at += 4;
        length -= 4;
    }
    for (; length >= STRIDE; length -= STRIDE, at += STRIDE) {
        crc = add64(crc, at);
        crc = add64(crc, at + 64);
        crc = add64(crc, at + 128);
        crc = add64(crc, at + 192);
    }
    for (; length >= 8; length -= 8, at += 8) {
        crc = add8(crc, at);
    }
    for (; length > 0; length--, at++) {
        uint32_t narrow = (uint32_t)crc;
        __asm__("crc32b %1, %0" : "+r"(narrow) : "m"(*at));
        crc = narrow;
    }
    return ~(uint32_t)crc;
}

uint32_t store_crc32c(const void *bytes, size_t length)
{
    return store_crc32c_more(0, bytes, length);
}
