// SPDX-License-Identifier: MIT
//
// Making stores durable: write lines back, wait for that, or go around the
// caches. SDM 1 12.x does not know of power cuts; what is durable after SFENCE
// is what Intel's "Persistent Memory Programming" calls ADR: a line that was
// written back, or stored non-temporally, and accepted by the memory
// controller.
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "mm/pmem.h"

// By the best instruction that there is. CLWB keeps the line in the cache, as
// CLFLUSHOPT and CLFLUSH do not; CLFLUSH alone is ordered with others of its
// kind, and so slow (SDM 2A, CLFLUSH, CLFLUSHOPT, CLWB).
#define FLUSH_AT_ONCE (16ul * CACHE_LINE_SIZE)

#define FLUSH_LINES(instruction, at, end)                                      \
    do {                                                                       \
        for (; (end) - (at) >= FLUSH_AT_ONCE; (at) += FLUSH_AT_ONCE) {         \
            _Pragma("GCC unroll 16") for (unsigned flush_line_ = 0;            \
                                          flush_line_ < FLUSH_AT_ONCE;         \
                                          flush_line_ += CACHE_LINE_SIZE)      \
            {                                                                  \
                instruction((at) + flush_line_);                               \
            }                                                                  \
        }                                                                      \
        for (; (at) < (end); (at) += CACHE_LINE_SIZE) {                        \
            instruction((at));                                                 \
        }                                                                      \
    } while (0)

const char *pmem_flush_name(void)
{
    return cpu_has(CPU_FEATURE_CLWB)         ? "CLWB"
           : cpu_has(CPU_FEATURE_CLFLUSHOPT) ? "CLFLUSHOPT"
                                             : "CLFLUSH";
}

void pmem_flush(const void *address, size_t length)
{
    if (length == 0) {
        return;
    }
    cpu_compiler_barrier(); // an instruction names one byte of its line alone
    uintptr_t at = ALIGN_DOWN((uintptr_t)address, CACHE_LINE_SIZE);
    uintptr_t end = ALIGN_UP((uintptr_t)address + length, CACHE_LINE_SIZE);
    if (cpu_has(CPU_FEATURE_CLWB)) {
        FLUSH_LINES(cpu_clwb, at, end);
    } else if (cpu_has(CPU_FEATURE_CLFLUSHOPT)) {
        FLUSH_LINES(cpu_clflushopt, at, end);
    } else {
        FLUSH_LINES(cpu_clflush, at, end);
    }
}

void pmem_drain(void)
{
    cpu_sfence();
}

void pmem_persist(const void *address, size_t length)
{
    pmem_flush(address, length);
    pmem_drain();
}

// Bytes that share a word with others: a plain store, written back.
static void copy_part(unsigned char *to, const unsigned char *from,
                      size_t length)
{
    memcpy(to, from, length);
    pmem_flush(to, length);
}

void pmem_copy_to(struct page *first, size_t offset, const void *given,
                  size_t length)
{
    const unsigned char *from = given;
    unsigned char *mapped = kmap_local_range(first, offset, length);
    unsigned char *to = mapped;
    size_t head = MIN(-(uintptr_t)to & (sizeof(uint64_t) - 1), length);
    copy_part(to, from, head);
    to += head;
    from += head;
    length -= head;
    for (; length >= sizeof(uint64_t); length -= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, from, sizeof(word));
        cpu_store_nontemporal((uint64_t *)to, word);
        to += sizeof(word);
        from += sizeof(word);
    }
    copy_part(to, from, length);
    kunmap_local(mapped);
}
