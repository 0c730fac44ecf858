// SPDX-License-Identifier: MIT
//
// An IDT that differs from the kernel's in the gate of #DB.
#include "tests/breakpoint.h"

#include "arch/asm.h"
#include "arch/regs.h"
#include "tests/handlers.h"

// SDM 3B 17.2.4: what DR7 says of DR0.
#define DR7_L0 BIT(0)                // it is on
#define DR7_WRITE0 (BIT(16))         // for data that is written, not execution
#define DR7_FOUR_BYTES0 (3ull << 18) // as many

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __packed;

static uint64_t gates[512] __aligned(16);
static struct table_pointer kernels;
static void (*on_hit)(void);

void breakpoint_hit(void);

void breakpoints_begin(void (*hit)(void))
{
    struct table_pointer own = {sizeof(gates) - 1, (uintptr_t)gates};
    uintptr_t to = (uintptr_t)stub_breakpoint;
    on_hit = hit;
    __asm__ volatile("sidt %0" : "=m"(kernels));
    memcpy(gates, (const void *)kernels.base, sizeof(gates));
    gates[2 * TRAP_DB] = (to & 0xffff) | SELECTOR_CODE << 16 | 0x8eull << 40 |
                         (to >> 16 & 0xffff) << 48;
    gates[2 * TRAP_DB + 1] = to >> 32;
    __asm__ volatile("lidt %0" : : "m"(own));
}

void breakpoints_end(void)
{
    breakpoint_clear();
    __asm__ volatile("lidt %0" : : "m"(kernels));
}

static void registers_set(uintptr_t address, uint64_t control)
{
    __asm__ volatile("movq %0, %%dr0; movq %1, %%dr7"
                     :
                     : "r"(address), "r"(control)
                     : "memory");
}

void breakpoint_set(uintptr_t address)
{
    registers_set(address, DR7_L0);
}

void breakpoint_set_write(volatile void *address)
{
    registers_set((uintptr_t)address, DR7_L0 | DR7_WRITE0 | DR7_FOUR_BYTES0);
}

void breakpoint_clear(void)
{
    __asm__ volatile("movq %0, %%dr7" : : "r"(0ul) : "memory");
}

void breakpoint_hit(void)
{
    on_hit();
}
