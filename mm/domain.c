// SPDX-License-Identifier: MIT
//
// Creating and destroying domains. A new one gets a key if one is free.
#include "mm/domain.h"

#include "arch/cpu.h"
#include "arch/pks.h"
#include "arch/tlb.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/engine.h"
#include "mm/frame_cache.h"
#include "mm/kernel_pages.h"
#include "mm/lock.h"
#include "mm/misuse.h"

struct domain *const domain_ram =
    (struct domain *)DOMAIN_TABLE_BASE + DOMAIN_RAM;

#define DOMAINS_PER_PAGE (PAGE_SIZE / DOMAIN_SIZE)

static unsigned slots_mapped; // numbers below have memory behind them
static unsigned slots_used;   // numbers below have been used
static unsigned free_slot;    // list of numbers to use again; 0 ends it

// A handler may look at any moment: it must find a right with all of it, or
// none.
static void entry_put(struct domain_rights *entry,
                      const struct domain_rights *value)
{
    entry->keep = 0;
    cpu_compiler_barrier();
    entry->open = value->open;
    cpu_compiler_barrier();
    entry->keep = value->keep;
}

void domain_rights_put(unsigned id, const struct domain_rights *write,
                       const struct domain_rights *read, uint32_t fill)
{
    entry_put(&domain_write_[id], write);
    entry_put(&domain_read_[id], read);
    if (id < DOMAINS_MAX) {
        domain_fill_[id] = fill;
    }
}

static struct domain_rights rights_to(uint32_t open)
{
    return (struct domain_rights){
        .open = open != 0 ? open : ~0u,
        .keep = open != 0 ? ~open : 0,
    };
}

void domain_rights_set(unsigned id, uint32_t open_write, uint32_t open_read)
{
    struct domain_rights write = rights_to(open_write);
    struct domain_rights read = rights_to(open_read);
    domain_rights_put(id, &write, &read, write.keep);
}

// Memory for one more page of the table, and for the rights of its domains and
// of their free frames. What was mapped when the rest cannot be is there for
// the next try.
static bool table_grow_locked(void)
{
    uintptr_t wanted[] = {
        (uintptr_t)domain_of_id(slots_mapped),
        (uintptr_t)&domain_write_[slots_mapped],
        (uintptr_t)&domain_read_[slots_mapped],
        (uintptr_t)&domain_write_[slots_mapped | DOMAIN_FREE],
        (uintptr_t)&domain_read_[slots_mapped | DOMAIN_FREE],
        (uintptr_t)&domain_fill_[slots_mapped],
    };
    for (unsigned i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (!kernel_page_ensure_locked(wanted[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < DOMAINS_PER_PAGE; i++, slots_mapped++) {
        domain_rights_set(slots_mapped, 0, 0);
        domain_rights_set(slots_mapped | DOMAIN_FREE, 0, 0);
    }
    return true;
}

// A number that nobody has, 0: none.
static unsigned slot_take_locked(void)
{
    unsigned id = free_slot;
    if (id != 0) {
        free_slot = domain_of_id(id)->next_free;
        return id;
    }
    if (slots_used == DOMAINS_MAX ||
        (slots_used == slots_mapped && !table_grow_locked())) {
        return 0;
    }
    return slots_used++;
}

static void domain_init(struct domain *domain, unsigned id, const char *name)
{
    *domain = (struct domain){.id = id, .live = true};
    string_copy(domain->name, sizeof(domain->name), name);
    engine->domain_begin_locked(domain);
}

__init void domains_init(void)
{
    ASSERT((uintptr_t)domain_write_ == DOMAIN_RIGHTS_BASE &&
           (uintptr_t)domain_read_ ==
               DOMAIN_RIGHTS_BASE + DOMAIN_RIGHTS_SIZE / 2 &&
           (uintptr_t)domain_fill_ == DOMAIN_FILL_BASE); // linker.ld
    uint64_t lock = mm_lock();
    ASSERT(table_grow_locked());
    slots_used = DOMAIN_BUILT_IN;
    domain_init(domain_of_id(DOMAIN_RAM), DOMAIN_RAM, "ram");
    mm_unlock(lock);
}

struct domain *domain_create_locked(const char *name)
{
    unsigned id = slot_take_locked();
    if (id == 0) {
        return NULL;
    }
    domain_init(domain_of_id(id), id, name);
    return domain_of_id(id);
}

struct domain *domain_create(const char *given)
{
    // The caller's memory is not touched with the lock held: it may refuse.
    char name[DOMAIN_NAME_SIZE];
    string_copy(name, sizeof(name), given);
    uint64_t lock = mm_lock();
    struct domain *domain = domain_create_locked(name);
    mm_unlock(lock);
    return domain;
}

void domain_destroy_locked(struct domain *domain)
{
    domain->live = false;
    engine->domain_end_locked(domain);
    domain->next_free = free_slot;
    free_slot = domain->id;
}

int domain_destroy(struct domain *domain)
{
    if (domain == NULL || domain->id < DOMAIN_BUILT_IN || !domain->live) {
        return -EINVAL;
    }
    frame_cache_drain_all(domain);
    struct fault_callback *callback = domain->callback;
    uint64_t lock = mm_lock();
    int error = -EBUSY;
    if (domain->frames == 0) {
        domain_blocks_reclaim_locked(domain);
        error = domain->area.nonempty != 0 ? -ENOMEM : 0;
    }
    if (error == 0) {
        domain_destroy_locked(domain);
    }
    mm_unlock(lock);
    if (error == 0) {
        kfree(callback); // no frame of the domain is left to fault on
    }
    return error;
}

void domain_callback_swap(struct domain *domain,
                          struct fault_callback *callback)
{
    uint64_t lock = mm_lock();
    struct fault_callback *old = domain->callback;
    __atomic_store_n(&domain->callback, callback, __ATOMIC_RELEASE);
    tlb_park(); // whoever has looked has called by now
    tlb_release(NULL);
    mm_unlock(lock);
    kfree(old);
}

const char *domain_name(const struct domain *domain)
{
    return domain->name;
}

unsigned domain_numbers(void)
{
    return slots_mapped;
}

bool domain_is_live(unsigned id)
{
    return id < slots_used && domain_of_id(id)->live;
}

struct domain *domain_next(unsigned id)
{
    while (++id < slots_used) {
        if (domain_of_id(id)->live) {
            return domain_of_id(id);
        }
    }
    return NULL;
}
