// SPDX-License-Identifier: MIT
//
// Wrong use of the contract's calls, caught and reported with both call sites.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

struct misuse {
    const char *what;        // one clause: "frame freed twice"
    const struct page *page; // the frame it is about, or NULL
    const void *address;     // the address it is about, or NULL
    struct {
        const char *what; // "this free", "mapped"; NULL: no such site
        uintptr_t ip;     // return address of the call, 0: unknown
    } site[2];
};

// Supplied by the kernel layer. In a test it ends that test, inside
// CHECK_MISUSE or run_protected it is caught, elsewhere it is a panic.
__noreturn __cold void misuse_report(const struct misuse *misuse);

// Call sites are kept in 32 bits: kernel text is in the top 2 GiB.
static inline int32_t site_pack(uintptr_t ip)
{
    return (int32_t)ip;
}

static inline uintptr_t site_unpack(int32_t site)
{
    return (uintptr_t)(intptr_t)site;
}

// The return address of the function that this is used in.
#define CALL_SITE() ((uintptr_t)__builtin_return_address(0))
