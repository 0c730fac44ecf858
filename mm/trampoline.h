// SPDX-License-Identifier: MIT
//
// The one page that is ever mapped one to one: what CPUs begin with, below 1
// MiB. It is never writable while it is executable, by no alias. Boot.
#pragma once

#include "keyhole.h"
#include "lib/types.h"

// A page of RAM below 640 KiB that nobody uses, mapped at its own address to be
// written; its address, or NULL: there is none, or no page table.
void *trampoline_open(void);

// Written: from now on it can be read and executed only. False: no page table.
bool trampoline_seal(void *page);

// It has done its work: cleared and unmapped. Other CPUs may have translations
// of it until they flush everything.
void trampoline_close(void *page);
