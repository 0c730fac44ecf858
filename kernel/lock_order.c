// SPDX-License-Identifier: MIT
//
// A matrix of classes. It only grows, by single words, and nothing here takes a
// lock: a debug exception may come at any instruction, and its handler may take
// locks too.
#include "kernel/lock_order.h"

#ifdef KEYHOLE_DEBUG

#include "mm/misuse.h"

#define CLASSES_MAX 32

static const char *names[CLASSES_MAX];

// after[a] has bit b: a lock of class b was taken by who held one of class a,
// at this place.
static uint32_t after[CLASSES_MAX];
static int32_t sites[CLASSES_MAX][CLASSES_MAX];

// The class of a name, a new one if need be; CLASSES_MAX: there are too many,
// and the rest are in no order.
static unsigned class_of(const char *name)
{
    for (unsigned i = 0; i < CLASSES_MAX; i++) {
        const char *found = __atomic_load_n(&names[i], __ATOMIC_RELAXED);
        if (found == NULL &&
            __atomic_compare_exchange_n(&names[i], &found, name, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return i;
        }
        if (found == name) {
            return i;
        }
    }
    return CLASSES_MAX;
}

// The classes that come after one, itself included.
static uint32_t all_after(unsigned class)
{
    uint32_t all = (uint32_t)BIT(class), looked_at = 0;
    while (all != looked_at) {
        unsigned next = (unsigned)__builtin_ctz(all & ~looked_at);
        looked_at |= (uint32_t)BIT(next);
        all |= after[next];
    }
    return all;
}

// Where a lock of class `to` was taken by who held one of these.
static uintptr_t site_from(uint32_t classes, unsigned to)
{
    for (; classes != 0; classes &= classes - 1) {
        unsigned from = (unsigned)__builtin_ctz(classes);
        if (after[from] & BIT(to)) {
            return site_unpack(sites[from][to]);
        }
    }
    return 0;
}

static void one_class_check(const void *first, const void *second,
                            uintptr_t site)
{
    if (second <= first) {
        misuse_report(&(struct misuse){
            .what = "locks of one class not taken in the order of addresses",
            .address = second,
            .site = {{"this lock", site}},
        });
    }
}

// It is noted before it is reported, so that it is reported once.
static void order_add(unsigned first, unsigned second, const void *lock,
                      uintptr_t site)
{
    uint32_t behind = all_after(second);
    sites[first][second] = site_pack(site);
    __atomic_fetch_or(&after[first], (uint32_t)BIT(second), __ATOMIC_RELEASE);
    if (behind & BIT(first)) {
        misuse_report(&(struct misuse){
            .what = "locks taken in an order that can deadlock",
            .address = lock,
            .site = {{"this lock", site},
                     {"the other way round", site_from(behind, first)}},
        });
    }
}

void lock_order_check(const char *first_name, const void *first,
                      const char *second_name, const void *second,
                      uintptr_t site)
{
    if (first_name == NULL || second_name == NULL) {
        return;
    }
    if (first_name == second_name) {
        one_class_check(first, second, site);
        return;
    }
    unsigned a = class_of(first_name), b = class_of(second_name);
    if (a < CLASSES_MAX && b < CLASSES_MAX && !(after[a] & BIT(b))) {
        order_add(a, b, second, site);
    }
}

void lock_order_forget(const char *name)
{
    unsigned class = class_of(name);
    for (unsigned i = 0; class < CLASSES_MAX && i < CLASSES_MAX; i++) {
        __atomic_fetch_and(&after[i], ~(uint32_t)BIT(class), __ATOMIC_RELAXED);
        after[class] = 0;
    }
}

#endif
