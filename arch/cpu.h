// SPDX-License-Identifier: MIT
//
// Single instructions as C functions, with exact clobbers. No policy.
#pragma once

#include "arch/regs.h"
#include "lib/types.h"

static inline uint64_t cpu_read_cr0(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr0(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_cr2(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr2(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr2" : : "r"(value));
}

static inline uint64_t cpu_read_cr3(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr3(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_cr4(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr4(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

// The lowest priority class of interrupts that gets through, minus 1: bits 7:4
// of the local APIC's TPR (SDM 3A 11.8.6).
static inline uint64_t cpu_read_cr8(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr8, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr8(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr8" : : "r"(value) : "memory");
}

static inline uint64_t cpu_read_msr(uint32_t msr)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
    return (uint64_t)high << 32 | low;
}

// Boot only: after boot the kernel writes IA32_PKRS and the local APIC's MSRs,
// by the two functions that can write nothing else. Inlined into __init
// functions, so that the instruction is discarded with them.
static inline __attribute__((always_inline)) void
cpu_write_msr_init(uint32_t msr, uint64_t value)
{
    __asm__ volatile("wrmsr"
                     :
                     : "c"(msr), "a"((uint32_t)value), "d"(value >> 32)
                     : "memory");
}

static inline void cpu_invlpg(uintptr_t address)
{
    __asm__ volatile("invlpg %0"
                     :
                     : "m"(*(const volatile char *)address)
                     : "memory");
}

static inline uint64_t cpu_read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

// The same when all that came before is done, and before anything that comes
// behind begins (SDM 2B, RDTSCP and RDTSC). The first form wants RDTSCP.
static inline uint64_t cpu_read_tscp(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtscp; lfence"
                     : "=a"(low), "=d"(high)
                     :
                     : "rcx", "memory");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_read_tsc_fenced(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc; lfence"
                     : "=a"(low), "=d"(high)
                     :
                     : "memory");
    return (uint64_t)high << 32 | low;
}

static inline uint64_t cpu_read_flags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; pop %0" : "=r"(flags) : : "memory");
    return flags;
}

static inline void cpu_cli(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline void cpu_sti(void)
{
    __asm__ volatile("sti" : : : "memory");
}

// Turn interrupts off; returns the flags for cpu_interrupts_restore().
static inline uint64_t cpu_interrupts_off(void)
{
    uint64_t flags = cpu_read_flags();
    cpu_cli();
    return flags;
}

static inline void cpu_interrupts_restore(uint64_t flags)
{
    if (flags & RFLAGS_IF) {
        cpu_sti();
    }
}

// Store `count` copies of a word from an address on.
static inline void cpu_store_words(uintptr_t address, uint64_t word,
                                   size_t count)
{
    __asm__ volatile("rep stosq"
                     : "+D"(address), "+c"(count)
                     : "a"(word)
                     : "memory");
}

// Lines of the data caches: 64 bytes in every CPU of the architecture (CPUID.1:
// EBX[15:8] times 8).
#define CACHE_LINE_SIZE 64ul

// Write the line that holds an address back to memory, and let the caches keep
// it (CLWB) or not. Ordered by SFENCE (SDM 2A).
static inline void cpu_clwb(uintptr_t address)
{
    __asm__ volatile("clwb %0" : "+m"(*(volatile char *)address));
}

static inline void cpu_clflushopt(uintptr_t address)
{
    __asm__ volatile("clflushopt %0" : "+m"(*(volatile char *)address));
}

static inline void cpu_clflush(uintptr_t address)
{
    __asm__ volatile("clflush %0" : "+m"(*(volatile char *)address));
}

static inline void cpu_sfence(void)
{
    __asm__ volatile("sfence" : : : "memory");
}

// Store a word past the caches (SDM 2B, MOVNTI).
static inline void cpu_store_nontemporal(uint64_t *to, uint64_t word)
{
    __asm__ volatile("movnti %1, %0" : "=m"(*to) : "r"(word));
}

// Take the interrupts that wait, with interrupts off before and after. STI
// holds them back for one instruction more (SDM 2B); under QEMU 7.2 PAUSE in
// its place would make that two.
static inline void cpu_take_interrupts(void)
{
    __asm__ volatile("sti; nop; nop; cli" : : : "memory");
}

// Halt until an interrupt has been handled, with interrupts off before and
// after: none comes between STI and HLT (SDM 2B).
static inline void cpu_sti_hlt_cli(void)
{
    __asm__ volatile("sti; hlt; cli" : : : "memory");
}

static inline void cpu_hlt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

static inline void cpu_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline void cpu_out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void cpu_out16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static inline void cpu_out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t cpu_in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t cpu_in16(uint16_t port)
{
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

// The word at `at`, times 256: a load and a shift in one instruction. Compilers
// take two where the number is a power of two.
static inline uint64_t cpu_load_times_256(const void *at)
{
    uint64_t value;
    __asm__("imulq $256, %1, %0"
            : "=r"(value)
            : "m"(*(const uint64_t *)at)
            : "cc");
    return value;
}

// Whether one of `bits`, a constant, is set in a device's register, by one read
// of 32 bits; compilers do not make one instruction of a volatile read and a
// test.
#define cpu_test_register(address, bits)                                       \
    ({                                                                         \
        bool any_;                                                             \
        __asm__ volatile("testl %2, %1"                                        \
                         : "=@ccnz"(any_)                                      \
                         : "m"(*(volatile uint32_t *)(address)),               \
                           "i"((uint32_t)(bits))                               \
                         : "memory");                                          \
        any_;                                                                  \
    })

// Wait until earlier stores can be seen and earlier loads are done, before an
// instruction that waits for neither.
static inline void cpu_fence(void)
{
    __asm__ volatile("mfence; lfence" : : : "memory");
}

// Keep the compiler from moving memory accesses across this point.
#define cpu_compiler_barrier() __asm__ volatile("" : : : "memory")
