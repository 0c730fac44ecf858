// SPDX-License-Identifier: MIT
//
// Debug builds: in which orders locks are taken. Locks of one name are a class.
// When one is taken while another is held, the class of the second comes after
// that of the first, and so does what comes after it. Two classes that come
// after each other are a deadlock that has not happened yet: a misuse, reported
// once. Locks of one class are taken in the order of their addresses.
#pragma once

#include "lib/types.h"

#ifdef KEYHOLE_DEBUG

// `second` is about to be taken, at `site`, by who holds `first`. Names are
// told apart by address. A lock whose name is NULL is in no order. Any context
// but NMI.
void lock_order_check(const char *first_name, const void *first,
                      const char *second_name, const void *second,
                      uintptr_t site);

// Forget all orders of a class, for tests.
void lock_order_forget(const char *name);

#else

static inline void lock_order_check(const char *first_name, const void *first,
                                    const char *second_name, const void *second,
                                    uintptr_t site)
{
    (void)first_name;
    (void)first;
    (void)second_name;
    (void)second;
    (void)site;
}

#endif
