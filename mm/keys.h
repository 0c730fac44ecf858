// SPDX-License-Identifier: MIT
//
// What each of the 16 protection keys stands for, and who has those that are
// lent to domains.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

enum key {
    KEY_KERNEL = 0, // image, stacks, descriptor tables, frame table: open
    KEY_CLOSED = 1, // free frames, the kernel's own, parked domains: never open
    KEY_TABLES = 2, // page tables: opened by the window in pt_window.h alone
    KEY_WINDOW = 3, // frames of parked domains in a thread's window
    KEY_DOMAINS = 4, // the first of those that domains use
};

// See that a domain has a key, taking one from a domain that nobody has open if
// need be. False: every key is open somewhere, or this is a handler that
// interrupted the memory manager. Any context; the second form with mm_lock.
bool key_get(struct domain *domain);
bool key_get_locked(struct domain *domain);

// The same, and nobody takes it away until key_unpin(). A handler waits for
// other CPUs here, but not that of an NMI. `*pinned` becomes what it returns,
// with mm_lock: nobody is abandoned between the two. Unpin: thread context, or
// for a thread that is abandoned.
bool key_pin(struct domain *domain, bool *pinned);
void key_unpin(struct domain *domain, bool *pinned);

// fault=relaxed: the running thread keeps the domain's key open until it ends.
// *relaxed has a bit for each key that it has so; those of a thread that has
// ended are given back. Any context but NMI; the second with mm_lock.
bool key_pin_relaxed(struct domain *domain, uint32_t *relaxed);
void key_unpin_relaxed_locked(uint32_t relaxed);

// Park a domain: close its frames and take its key. mm_lock held.
void key_take_locked(struct domain *domain);

// With many CPUs at work, keys change hands in bursts (mm/keys.c): begin anew.
// Thread context.
void keys_pause_end(void);

// Who has a key, by name; NULL: nobody. Any context.
const char *key_name(unsigned key);

// Keys that no domain has.
unsigned keys_free(void);
