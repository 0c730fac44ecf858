// SPDX-License-Identifier: MIT
//
// Between the files of the line editor: changing the line and showing it.
#pragma once

#include "kernel/lineedit.h"

void lineedit_show(struct lineedit *edit, const char *text, size_t length);
void lineedit_show_string(struct lineedit *edit, const char *text);

// Show the prompt and the line, with the terminal's cursor at an empty line's
// start, and leave it where ours is.
void lineedit_show_line(struct lineedit *edit);

// Insert at the cursor as much as fits; show it.
void lineedit_insert(struct lineedit *edit, const char *text, size_t length);

// Complete the word before the cursor.
void lineedit_complete(struct lineedit *edit);
