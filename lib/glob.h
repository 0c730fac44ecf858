// SPDX-License-Identifier: MIT
//
// Names against patterns: `*` stands for any run of characters, none included,
// and `?` for any one. There is no escape. Time is at most the product of both
// lengths, whatever the pattern.
#pragma once

#include "lib/types.h"

// Does the whole of `text` match `pattern`?
bool glob_match(const char *pattern, const char *text);

// Does `text` match any pattern of a list with commas between? Empty patterns
// in the list match nothing.
bool glob_list_match(const char *comma_list, const char *text);
