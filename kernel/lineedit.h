// SPDX-License-Identifier: MIT
//
// A line editor for a serial terminal: bytes in, bytes out, whole lines to the
// caller. Pure: what it shows goes to a callback. Runs on the host too.
//
//     Ctrl-A Home    to the start          Ctrl-U   delete to the start
//     Ctrl-E End     to the end            Ctrl-K   delete to the end
//     Ctrl-B Left    one back              Ctrl-W   delete the word before
//     Ctrl-F Right   one forward           Ctrl-L   clear the screen
//     Ctrl-P Up      earlier line          Ctrl-C   give the line up
//     Ctrl-N Down    later line            Ctrl-D   delete here; end if empty
//     Backspace DEL  delete before         TAB      complete the word
//     Delete         delete here
//
// Where TAB finds several words it lists them, in columns on a screen of 80
// columns and 24 lines, and says how many did not fit.
#pragma once

#include "lib/types.h"

#define LINEEDIT_MAX 256    // with the terminating NUL
#define LINEEDIT_HISTORY 16 // lines that are remembered

enum lineedit_result {
    LINEEDIT_MORE,   // nothing yet
    LINEEDIT_LINE,   // `line` holds a whole line
    LINEEDIT_CANCEL, // Ctrl-C; `line` is empty
    LINEEDIT_EOF,    // Ctrl-D on an empty line
};

// Shows `length` bytes; lines end in CR LF.
typedef void (*lineedit_write_fn)(void *context, const char *text,
                                  size_t length);

// The index-th word that could stand at text + word, where `text` is the line
// up to the cursor. NULL behind the last. Words that do not start with what is
// typed are passed over, as empty ones are, so a caller may return them all, in
// any order, and one twice. What it returns must stay as it is while
// lineedit_feed() runs.
typedef const char *(*lineedit_complete_fn)(void *context, const char *text,
                                            size_t word, unsigned index);

struct lineedit {
    lineedit_write_fn write;
    lineedit_complete_fn complete; // NULL: TAB does nothing
    void *context;
    const char *prompt;
    char line[LINEEDIT_MAX]; // terminated after each byte
    size_t length;
    size_t cursor;             // 0 to length
    unsigned char escape;      // where in an escape sequence we are
    unsigned char escape_code; // the number in it
    bool skip_lf;              // the last byte was CR
    unsigned history_count;    // lines in the ring
    unsigned history_next;     // where the next goes
    unsigned history_back;     // how far back we are looking; 0: own line
    char history[LINEEDIT_HISTORY][LINEEDIT_MAX];
    char own[LINEEDIT_MAX]; // the line that was left for the history
};

// `prompt` is kept, not copied. `complete` may be NULL.
void lineedit_init(struct lineedit *edit, const char *prompt,
                   lineedit_write_fn write, lineedit_complete_fn complete,
                   void *context);

// Start an empty line and show the prompt.
void lineedit_begin(struct lineedit *edit);

// Take one byte. After anything but LINEEDIT_MORE the line stays readable until
// lineedit_begin(), which comes before the next byte.
enum lineedit_result lineedit_feed(struct lineedit *edit, char byte);
