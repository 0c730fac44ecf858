// SPDX-License-Identifier: MIT
//
// Domains by number: a table in a region of its own, one page of it at a time.
// A struct page names its domain by number, and a bracket finds with one load
// what to keep of IA32_PKRS.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/layout.h"

#define DOMAIN_NAME_SIZE 40
#define DOMAIN_SIZE 128
#define DOMAINS_MAX 4096 // numbers 0 to 4095

// Set in the number that a struct page holds while its frame is free: whose
// free list it is on.
#define DOMAIN_FREE DOMAINS_MAX

// Numbers that are always there. 0 is nobody.
enum domain_id {
    DOMAIN_NONE,
    DOMAIN_POOL,   // free memory
    DOMAIN_KERNEL, // frame table, domain table
    DOMAIN_RAM,    // domain_ram
    DOMAIN_BUILT_IN,
};

struct domain {
    uint32_t open_write; // bits to clear in IA32_PKRS to read and write
    uint32_t open_read;  // bits to clear to read only
    uint16_t id;
    uint8_t key;        // 0: parked
    bool live;          // between create and destroy
    uint32_t next_free; // number of the next slot to use again
    uint32_t pins;      // who relies on the key
    uint32_t blocks;    // list of whole 2 MiB blocks (mm/blocks.c)
    uint32_t frames;    // taken from its blocks (mm/frame_cache.h)
    struct free_area area;
    char name[DOMAIN_NAME_SIZE];
    uint8_t fault_mode; // enum fault_mode
    bool fixed;         // its frames are persistent memory: none come, none go
    struct fault_callback *callback; // NULL: none
} __aligned(DOMAIN_SIZE);

// From domain_set_fault_callback().
struct fault_callback {
    fault_callback_fn *fn;
    void *arg;
};

// Have a domain another callback, from kmalloc(), and free the one that it had
// once no CPU looks at that any more. Thread context.
void domain_callback_swap(struct domain *domain,
                          struct fault_callback *callback);

_Static_assert(sizeof(struct domain) == DOMAIN_SIZE, "whole slots in a page");
_Static_assert(DOMAINS_MAX *DOMAIN_SIZE <= DOMAIN_TABLE_SIZE, "mm/layout.h");

// The key that the domain's leaves in the direct map have.
static inline unsigned domain_leaf_key(const struct domain *domain)
{
    return domain->key != 0 ? domain->key : KEY_CLOSED;
}

// By the number in a struct page, what a bracket does to IA32_PKRS (keyhole.h,
// struct domain_rights). For frames that are free or nobody's, and for parked
// domains, `keep` is 0, which is no rights that anybody can have, and `open`
// has all bits set, so that it is looked at.
#define DOMAIN_RIGHTS (2 * DOMAINS_MAX)

// The tables have addresses that linker.ld knows too, and memory where there
// are domains.
_Static_assert(DOMAIN_RIGHTS * sizeof(struct domain_rights) ==
                   DOMAIN_RIGHTS_SIZE / 2,
               "mm/layout.h");

// Let brackets on the domain with this number open what open_write and
// open_read say, or nothing by themselves if that is 0.
void domain_rights_set(unsigned id, uint32_t open_write, uint32_t open_read);

static inline bool domain_rights_equal(const struct domain_rights *a,
                                       const struct domain_rights *b)
{
    return a->open == b->open && a->keep == b->keep;
}

// The same in the tables' own terms, and what the allocator keeps of the rights
// to fill a frame; 0: it cannot, by rights alone.
void domain_rights_put(unsigned id, const struct domain_rights *write,
                       const struct domain_rights *read, uint32_t fill);
extern uint32_t domain_fill_[];

static inline struct domain *domain_of_id(unsigned id)
{
    return (struct domain *)DOMAIN_TABLE_BASE + id;
}

// domain_create() and domain_destroy() of an empty one, with mm_lock.
struct domain *domain_create_locked(const char *name);
void domain_destroy_locked(struct domain *domain);

// Set up the table with the built-in domains. Boot, after frames_init() has
// memory to give.
void domains_init(void);

// Numbers below this have been prepared for; others are nowhere.
unsigned domain_numbers(void);

// Whether a number is that of a domain that was created and not destroyed.
bool domain_is_live(unsigned id);

// The domain with the lowest number above `id` that is live, or NULL: for
// lists. Start with DOMAIN_NONE.
struct domain *domain_next(unsigned id);
