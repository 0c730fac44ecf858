// SPDX-License-Identifier: MIT
//
// What each of the 16 protection keys stands for.
#pragma once

enum key {
    KEY_KERNEL = 0,  // image, stacks, descriptor tables, frame table: open
    KEY_CLOSED = 1,  // free frames and the kernel's own: never opened
    KEY_TABLES = 2,  // page tables: opened by the window in pagetable.c alone
    KEY_DOMAINS = 3, // the first of those that domains use
};
