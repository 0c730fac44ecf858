// SPDX-License-Identifier: MIT
//
// The protocol of SDM 3A 8.4.4. The waits that it asks for are those of CPUs of
// the 1990s: CPUs that have protection keys come at once. So the first try does
// without; who has not come then is woken by the book.
#include "arch/ap_start.h"

#include "arch/apic.h"
#include "arch/cpu.h"
#include "arch/percpu.h"
#include "arch/pit.h"
#include "lib/string.h"

#define SHORT_WAIT_MS 20
#define LONG_WAIT_MS 1000
#define INIT_WAIT_MS 10
// Reads of a state for one look at the clock.
#define LOOKS 1000

extern char ap_trampoline[], ap_trampoline_end[];
extern char ap_trampoline_gdt[], ap_trampoline_protected[];
extern char ap_trampoline_long[], ap_trampoline_root[];

struct ap ap_table[CPUS_MAX];
__initdata uint32_t ap_table_count = 0;
__ro_after_init uint64_t ap_start_waited_tsc;

__init void ap_trampoline_write(void *page, uint64_t phys, uint64_t root)
{
    static const char *const relocated[] = {
        ap_trampoline_gdt, ap_trampoline_protected, ap_trampoline_long};
    char *to = page;
    memcpy(to, ap_trampoline, ap_trampoline_end - ap_trampoline);
    for (unsigned i = 0; i < ARRAY_SIZE(relocated); i++) {
        *(uint32_t *)(to + (relocated[i] - ap_trampoline)) += (uint32_t)phys;
    }
    *(uint32_t *)(to + (ap_trampoline_root - ap_trampoline)) = (uint32_t)root;
}

static __init bool all_came(void)
{
    bool all = true;
    for (unsigned i = 0; i < ap_table_count; i++) {
        all &= ap_state_read(&ap_table[i]) != AP_STATE_AWAITED;
    }
    return all;
}

// Most come before a clock could be set.
static __init bool wait_for_all(unsigned ms)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        if (all_came()) {
            return true;
        }
        cpu_pause();
    }
    for (; ms > 0 && !all_came(); ms--) {
        pit_wait_1ms();
    }
    return all_came();
}

static __init void init_send(void)
{
    for (unsigned i = 0; i < ap_table_count; i++) {
        if (ap_state_read(&ap_table[i]) == AP_STATE_AWAITED) {
            apic_send_init(ap_table[i].apic_id);
        }
    }
}

static __init void startup_send(uint64_t phys)
{
    for (unsigned i = 0; i < ap_table_count; i++) {
        if (ap_state_read(&ap_table[i]) == AP_STATE_AWAITED) {
            apic_send_startup(ap_table[i].apic_id, (uint8_t)(phys >> 12));
        }
    }
}

static __init void start_by_the_book(uint64_t phys)
{
    init_send();
    for (unsigned ms = 0; ms < INIT_WAIT_MS; ms++) {
        pit_wait_1ms();
    }
    startup_send(phys);
    pit_wait_1ms(); // 200 us at least
    startup_send(phys);
    wait_for_all(LONG_WAIT_MS);
}

// One that comes after this finds that it is too late, and until its INIT may
// run what is soon unmapped.
static __init void give_up(struct ap *ap)
{
    uint32_t awaited = AP_STATE_AWAITED;
    if (__atomic_compare_exchange_n(&ap->state, &awaited, AP_STATE_UNUSED,
                                    false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        apic_send_init(ap->apic_id);
    }
}

// False: there is no clock.
static __init bool wait_or_start_again(uint64_t phys)
{
    if (wait_for_all(0)) {
        return true;
    }
    if (!pit_wait_1ms()) {
        return false;
    }
    if (!wait_for_all(SHORT_WAIT_MS)) {
        start_by_the_book(phys);
    }
    return true;
}

__init bool ap_start(unsigned count, uint64_t trampoline_phys)
{
    ap_table_count = count;
    init_send();
    startup_send(trampoline_phys);
    uint64_t before = cpu_read_tsc();
    bool waited = wait_or_start_again(trampoline_phys);
    ap_start_waited_tsc = cpu_read_tsc() - before;
    for (unsigned i = 0; i < count; i++) {
        give_up(&ap_table[i]); // who has come, has not to be
    }
    return waited;
}

__init bool ap_wait(const struct ap *ap, enum ap_state state)
{
    for (unsigned i = 0; i < LOOKS && ap_state_read(ap) != state; i++) {
        cpu_pause();
    }
    for (unsigned ms = 0; ms < LONG_WAIT_MS && ap_state_read(ap) != state;
         ms++) {
        pit_wait_1ms();
    }
    return ap_state_read(ap) == state;
}
