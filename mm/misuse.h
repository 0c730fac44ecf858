// SPDX-License-Identifier: MIT
//
// Wrong use of the contract's calls, caught and reported with both call sites.
#pragma once

#include "arch/asm.h"
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

// Call sites are kept in 32 bits, as offsets: kernel text is in the top 2 GiB,
// at KERNEL_BASE. 0 is no site.
static inline int32_t site_pack(uintptr_t ip)
{
    return (int32_t)(ip - KERNEL_BASE);
}

static inline uintptr_t site_unpack(int32_t site)
{
    return site != 0 ? KERNEL_BASE + (uintptr_t)site : 0;
}

// The return address of the function that this is used in.
#define CALL_SITE() ((uintptr_t)__builtin_return_address(0))
