// SPDX-License-Identifier: MIT
//
// Frames for people: lines of the fault report, and of the shell.
#pragma once

#include "keyhole.h"
#include "lib/types.h"
#include "mm/watch.h"

// Who has the frame, in one word or two. Any context.
const char *frame_owner(const struct page *page);

// Where a frame was allocated, or freed; 0: not by a call, or never. Any
// context.
uintptr_t frame_site(const struct page *page);

// Two lines: the frame, its owner and key (-1: none), and that call. NULL is no
// frame. Any context.
void frame_print(const struct page *page, int pkey);

// A line: what is watched, by whom, since when. Any context.
void watch_print(const struct watch *watch);
