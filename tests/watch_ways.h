// SPDX-License-Identifier: MIT
//
// A frame that tests watch, and all the ways to reach it.
#pragma once

#include "keyhole.h"
#include "tests/threads.h"

// From watched_get() on, and a neighbour in the same domain.
extern struct page *watched, *neighbour;
bool watched_get(void);
void watched_put(void);

// What somebody may do at an address, by probes.
enum { MAY_READ = 1, MAY_WRITE = 2 };
int allowed_at(void *at);

// The same for the frame that is watched, inside a mapping that the call makes
// and takes back; -1: it could not. All of them in `ways`.
#define WAYS 5
extern int (*const ways[WAYS])(void *unused);
int bracket_allows(void *unused);
int list_allows(void *unused);
