// SPDX-License-Identifier: MIT
//
// What an interrupt costs, and what keys add to it.
#include "arch/asm.h"
#include "kernel/interrupt.h"
#include "tests/handlers.h"
#include "tests/scratch.h"

static void nothing(void *unused)
{
    (void)unused;
}

BENCH(irq, self_call)
{
    BENCH_LOOP (n) {
        cpu_call(0, nothing, NULL);
    }
}

BENCH(irq, self_nmi)
{
    BENCH_LOOP (n) {
        cpu_nmi(0, nothing, NULL);
    }
}

// A whole interrupt with nothing to do, by INT. What keys add is the difference
// to irq.int_without_keys.
static inline void interrupt_self(void)
{
    __asm__ volatile("int %0" : : "i"(VECTOR_CALL) : "memory");
}

BENCH(irq, int_closed)
{
    BENCH_LOOP (n) {
        interrupt_self();
    }
}

BENCH(irq, int_in_bracket)
{
    struct page *page = alloc_page(domain_ram);
    const void *p = kmap_local_page(page);
    BENCH_LOOP (n) {
        interrupt_self();
    }
    kunmap_local(p);
    free_page(page);
}

#define IDT_WORDS 512
SCRATCH_ARRAY(uint64_t, idt, IDT_WORDS, 0);

// The same with the trap entry that knows nothing of keys, by an IDT of our
// own.
BENCH(irq, int_without_keys)
{
    struct table_pointer {
        uint16_t limit;
        uint64_t base;
    } __packed old, own;
    uintptr_t to = (uintptr_t)stub_call_without_keys;
    __asm__ volatile("sidt %0" : "=m"(old));
    memcpy(idt, (const void *)old.base, IDT_WORDS * sizeof(*idt));
    idt[2 * VECTOR_CALL] = (to & 0xffff) | SELECTOR_CODE << 16 | 0x8eull << 40 |
                           (to >> 16 & 0xffff) << 48;
    idt[2 * VECTOR_CALL + 1] = to >> 32;
    own = (struct table_pointer){IDT_WORDS * sizeof(*idt) - 1, (uintptr_t)idt};
    __asm__ volatile("lidt %0" : : "m"(own));
    BENCH_LOOP (n) {
        interrupt_self();
    }
    __asm__ volatile("lidt %0" : : "m"(old));
}
