// SPDX-License-Identifier: MIT
//
// What a bracket is to be compared with: the least that protection keys ask
// for, and nothing at all. Each touches the frame once.
#include "arch/asm.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "tests/bench.h"

// In one instruction, which compilers do not make of a volatile access.
static inline void touch(uint64_t *word)
{
    __asm__ volatile("incq %0" : "+m"(*word));
}

BENCH(kmap, pair_with_touch)
{
    struct page *page = alloc_page(domain_ram);
    BENCH_LOOP (n) {
        uint64_t *word = kmap_local_page(page);
        touch(word);
        kunmap_local(word);
    }
    free_page(page);
}

// By the pointer of a bracket that is open all the time: what `open` should
// come to.
BENCH(kmap, plain_pointer)
{
    struct page *page = alloc_page(domain_ram);
    uint64_t *word = kmap_local_page(page);
    BENCH_LOOP (n) {
        touch(word);
    }
    kunmap_local(word);
    free_page(page);
}

// Rights to open `page`, those of a bracket on it.
static uint32_t rights_of(struct page *page)
{
    const void *address = kmap_local_page(page);
    uint32_t rights = pks_rights();
    kunmap_local(address);
    return rights;
}

// Read what may be done, clear the domain's bits, write the register, touch,
// and write it back: two calls of the one function that may, by the way in for
// registers that are loaded (arch/pks_write.asm), and two instructions that
// load them. No site, no nesting, no check, and no word from which a handler
// could restore the register: so no interrupts. These two writes are not
// counted.
BENCH(kmap, pair_minimum)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    struct page *page = alloc_page(domain_ram);
    uint64_t *word = page_direct_map_address(page);
    uint32_t keep = rights_of(page), soft = PKRS_CLOSED;
    uint64_t flags = cpu_interrupts_off();
    BENCH_LOOP (n) {
        __asm__ volatile("movl %[soft], %%eax\n\t"
                         "andl %[keep], %%eax\n\t"
                         "call pks_write_msr_loaded\n\t"
                         "incq %[word]\n\t"
                         "movl %[soft], %%eax\n\t"
                         "call pks_write_msr_loaded"
                         : [word] "+m"(*word)
                         : [soft] "m"(soft), [keep] "r"(keep),
                           "c"(MSR_IA32_PKRS), "d"(0)
                         : "rax", "cc", "memory");
    }
    cpu_interrupts_restore(flags);
    uint64_t touched;
    memcpy_from_page(&touched, page, 0, sizeof(touched));
    CHECK(touched != 0 && touched % 512 == 0); // whole batches, each time
    free_page(page);
}

// In tests/bench_duties.asm.
void *duties_map(struct page *page);
void duties_unmap(void *address);
void *duties_nothing(void *address);

// The least that keeps the contract: who opened and closed it, in which order,
// how many, how often, whether the register must be written at all. Less the
// two calls, since map and unmap are in line.
BENCH(kmap, pair_minimum_with_duties)
{
    if (protect_engine() != PROTECT_PKS) {
        SKIP("needs pks");
    }
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);
    memzero_page(page, 0, 1); // the domain has a key then
    BENCH_LOOP (n) {
        duties_nothing(duties_nothing(page));
    }
    bench_less();
    BENCH_LOOP (m) {
        duties_unmap(duties_map(page));
    }
    free_page(page);
}
