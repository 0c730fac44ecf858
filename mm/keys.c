// SPDX-License-Identifier: MIT
//
// Keys on loan: a domain has one from its first use until another domain needs
// it more. A domain without a key is parked: its leaves have KEY_CLOSED, and
// its entries in the tables of domain rights send the next bracket here.
#include "mm/keys.h"

#include "arch/pks.h"
#include "arch/tlb.h"
#include "lib/panic.h"
#include "mm/blocks.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/frame_cache.h"
#include "mm/lock.h"

static uint16_t owners[PKS_KEYS];   // number of a domain, 0: the key is free
static unsigned hand = KEY_DOMAINS; // where the next victim is looked for

static void key_give_locked(struct domain *domain, unsigned key)
{
    struct tlb_batch batch;
    batch.count = 0;
    owners[key] = domain->id;
    blocks_rekey_locked(domain, key, &batch);
    tlb_shootdown_batch(&batch);
    domain->key = key;
    domain->open_write = PKRS_KEY_MASK(key);
    domain->open_read = PKRS_AD(key);
    // Only now: a bracket in a handler must find all of it or none.
    cpu_compiler_barrier();
    domain_rights_set(domain->id, domain->open_write, domain->open_read);
}

// Nobody gets the key by the tables of domain rights any more, and nobody has a
// bracket by it. The caller has the other CPUs invalidate the batch.
static void key_withdraw_locked(struct domain *domain, struct tlb_batch *batch)
{
    unsigned key = domain->key;
    domain->key = 0;
    domain->open_write = domain->open_read = 0;
    blocks_rekey_locked(domain, KEY_CLOSED, batch);
    // fault=relaxed has left the key open in some thread: nobody gets it before
    // the thread has ended.
    owners[key] = domain->pins == 0 ? DOMAIN_NONE : DOMAIN_POOL;
}

void key_take_locked(struct domain *domain)
{
    if (domain->key == 0) {
        return;
    }
    struct tlb_batch batch;
    batch.count = 0;
    domain_rights_set(domain->id, 0, 0);
    cpu_compiler_barrier();
    key_withdraw_locked(domain, &batch);
    tlb_shootdown_batch(&batch);
}

// To take a key disturbs every CPU that works. Where more domains than there
// are keys are in use all over, that would be all that they do: so after so
// many takes there is a pause of so many times as long, in which brackets open
// through windows.
#define BURST_TAKES 32
#define PAUSE_TIMES 16

static struct {
    unsigned takes;       // since the last pause
    uint64_t spent;       // on them, ticks of the TSC
    uint64_t pause_until; // ticks of the TSC
} burst;

static bool burst_is_over(void)
{
    return cpus_count > 1 && cpu_read_tsc() < burst.pause_until;
}

static void burst_add_locked(uint64_t ticks)
{
    burst.takes++;
    burst.spent += ticks;
    if (burst.takes == BURST_TAKES) {
        burst.pause_until = cpu_read_tsc() + PAUSE_TIMES * burst.spent;
        burst.takes = 0;
        burst.spent = 0;
    }
}

void keys_pause_end(void)
{
    uint64_t lock = mm_lock();
    burst.takes = 0;
    burst.spent = burst.pause_until = 0;
    mm_unlock(lock);
}

// Whether a CPU fills a frame of the domain: this one, or another that came to
// rest in a handler that interrupted that.
static bool is_filling(const struct domain *domain)
{
    unsigned cpu = 0;
    while (cpu < cpus_count && cpu_data_of(cpu)->frame_filling != domain->id) {
        cpu++;
    }
    return cpu < cpus_count;
}

// Whether somebody relies on the domain's key; `busy` are those of brackets.
static bool key_is_lent_out(const struct domain *domain, uint32_t busy)
{
    return (busy >> domain->key & 1) || domain->pins != 0 || is_filling(domain);
}

// Take the key of a domain that looks as if nobody had it open. A map call on
// another CPU may be between raising its top and looking at the domain's
// rights, or about to be seen with an open bracket: so the rights go first,
// then all other CPUs come to rest, and then the look counts. False: somebody
// has it open.
static bool key_take_idle_locked(struct domain *domain)
{
    struct tlb_batch batch;
    batch.count = 0;
    uint64_t start = cpu_read_tsc();
    domain_rights_set(domain->id, 0, 0);
    tlb_park();
    bool take = !key_is_lent_out(domain, brackets_busy_keys());
    if (take) {
        key_withdraw_locked(domain, &batch);
    } else {
        domain_rights_set(domain->id, domain->open_write, domain->open_read);
    }
    if (tlb_release(&batch)) {
        burst_add_locked(cpu_read_tsc() - start);
    }
    return take;
}

// A key that nobody has, or that nobody has open; 0: all are in use.
static unsigned key_find_locked(void)
{
    for (unsigned key = KEY_DOMAINS; key < PKS_KEYS; key++) {
        if (owners[key] == 0) {
            return key;
        }
    }
    if (burst_is_over()) {
        return 0;
    }
    uint32_t busy = brackets_busy_keys(); // a guess, that of other CPUs
    for (unsigned i = KEY_DOMAINS; i < PKS_KEYS; i++) {
        unsigned key = hand;
        hand = hand + 1 < PKS_KEYS ? hand + 1 : KEY_DOMAINS;
        struct domain *owner = domain_of_id(owners[key]);
        if (owner->live && !key_is_lent_out(owner, busy) &&
            key_take_idle_locked(owner)) {
            return key;
        }
    }
    return 0;
}

bool key_get_locked(struct domain *domain)
{
    ASSERT(mm_lock_held());
    if (domain->key == 0) {
        // To give a key is to ask the other CPUs. One of them may be waiting
        // for this one until the handler of an NMI ends; and what a handler
        // interrupted may be asking them.
        if (cpus_count > 1 && (percpu.nmi_level != 0 || tlb_is_asking())) {
            return false;
        }
        unsigned key = key_find_locked();
        if (key == 0) {
            return false;
        }
        key_give_locked(domain, key);
    }
    return true;
}

bool key_get(struct domain *domain)
{
    uint64_t lock;
    if (percpu.trap_level == 0) {
        lock = mm_lock();
    } else if (!mm_trylock(&lock)) {
        return false; // the interrupted code holds it
    }
    bool got = key_get_locked(domain);
    mm_unlock(lock);
    return got;
}

// A handler cannot wait for what it interrupted, and that of an NMI for nobody;
// fault=relaxed waits for other CPUs, since its caller has no other way.
static bool pin_lock(uint64_t *lock)
{
    if (percpu.nmi_level == 0 && !mm_lock_held()) {
        *lock = mm_lock();
        return true;
    }
    return mm_trylock(lock);
}

bool key_pin(struct domain *domain, bool *pinned)
{
    uint64_t lock;
    if (!pin_lock(&lock)) {
        return *pinned = false;
    }
    bool got = key_get_locked(domain);
    domain->pins += got;
    *pinned = got;
    mm_unlock(lock);
    return got;
}

void key_unpin(struct domain *domain, bool *pinned)
{
    uint64_t lock = mm_lock();
    *pinned = false;
    domain->pins--;
    mm_unlock(lock);
}

// By key: how many threads keep it open. Their domain may have ended.
static uint16_t relaxed_threads[PKS_KEYS];

bool key_pin_relaxed(struct domain *domain, uint32_t *relaxed)
{
    uint64_t lock;
    if (!pin_lock(&lock)) {
        return false;
    }
    bool got = key_get_locked(domain);
    if (got && !(*relaxed & BIT(domain->key))) {
        *relaxed |= BIT(domain->key);
        relaxed_threads[domain->key]++;
        domain->pins++;
    }
    mm_unlock(lock);
    return got;
}

void key_unpin_relaxed_locked(uint32_t relaxed)
{
    for (unsigned key = KEY_DOMAINS; key < PKS_KEYS; key++) {
        if (!(relaxed & BIT(key))) {
            continue;
        }
        relaxed_threads[key]--;
        if (owners[key] != DOMAIN_POOL) {
            domain_of_id(owners[key])->pins--;
        } else if (relaxed_threads[key] == 0) {
            owners[key] = DOMAIN_NONE; // nobody has it open any more
        }
    }
}

const char *key_name(unsigned key)
{
    switch (key) {
    case KEY_KERNEL:
        return "kernel";
    case KEY_CLOSED:
        return "closed";
    case KEY_TABLES:
        return "tables";
    case KEY_WINDOW:
        return "window";
    default:
        return owners[key] != 0 ? domain_of_id(owners[key])->name : NULL;
    }
}

unsigned keys_free(void)
{
    unsigned count = 0;
    for (unsigned key = KEY_DOMAINS; key < PKS_KEYS; key++) {
        count += owners[key] == 0;
    }
    return count;
}
