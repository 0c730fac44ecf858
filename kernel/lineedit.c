// SPDX-License-Identifier: MIT
//
// Editing one line, the history, and the keys. What is on the terminal and what
// is in the buffer are changed together, function by function; only the part
// behind the change is drawn again.

#include "kernel/lineedit.h"

#include "kernel/lineedit_internal.h"
#include "lib/string.h"

#define CTRL(letter) ((letter)&0x1f)
#define KEY_ESCAPE 0x1b
#define KEY_DELETE_BACK 0x7f

enum escape_state {
    ESCAPE_NONE,
    ESCAPE_START,   // after ESC
    ESCAPE_CONTROL, // after ESC [
    ESCAPE_SHIFT,   // after ESC O
};

void lineedit_show(struct lineedit *edit, const char *text, size_t length)
{
    if (length > 0) {
        edit->write(edit->context, text, length);
    }
}

void lineedit_show_string(struct lineedit *edit, const char *text)
{
    lineedit_show(edit, text, strlen(text));
}

static void move_to(struct lineedit *edit, size_t cursor)
{
    for (; edit->cursor > cursor; edit->cursor--) {
        lineedit_show(edit, "\b", 1);
    }
    // Forward by showing what is there: needs no count and no terminal type.
    lineedit_show(edit, edit->line + edit->cursor, cursor - edit->cursor);
    edit->cursor = cursor;
}

// Draw what is at and behind the cursor, wipe what stood behind, come back.
static void show_tail(struct lineedit *edit)
{
    size_t cursor = edit->cursor;

    move_to(edit, edit->length);
    lineedit_show_string(edit, "\x1b[K");
    move_to(edit, cursor);
}

void lineedit_show_line(struct lineedit *edit)
{
    size_t cursor = edit->cursor;

    lineedit_show_string(edit, edit->prompt);
    edit->cursor = 0;
    move_to(edit, edit->length);
    move_to(edit, cursor);
}

void lineedit_insert(struct lineedit *edit, const char *text, size_t length)
{
    size_t at = edit->cursor;

    length = MIN(length, LINEEDIT_MAX - 1 - edit->length);
    if (length == 0) {
        return;
    }
    memmove(edit->line + at + length, edit->line + at, edit->length - at + 1);
    memcpy(edit->line + at, text, length);
    edit->length += length;
    move_to(edit, at + length);
    if (edit->cursor < edit->length) {
        show_tail(edit);
    }
}

// Delete from `start` to `end` and leave the cursor at `start`.
static void delete_range(struct lineedit *edit, size_t start, size_t end)
{
    if (start == end) {
        return;
    }
    move_to(edit, start);
    memmove(edit->line + start, edit->line + end, edit->length - end + 1);
    edit->length -= end - start;
    show_tail(edit);
}

static size_t word_start(const struct lineedit *edit)
{
    size_t start = edit->cursor;

    while (start > 0 && edit->line[start - 1] == ' ') {
        start--;
    }
    while (start > 0 && edit->line[start - 1] != ' ') {
        start--;
    }
    return start;
}

static const char *history_line(const struct lineedit *edit, unsigned back)
{
    unsigned index = edit->history_next + LINEEDIT_HISTORY - back;

    return back == 0 ? edit->own : edit->history[index % LINEEDIT_HISTORY];
}

static void history_look(struct lineedit *edit, unsigned back)
{
    const char *line;

    if (edit->history_back == 0) {
        string_copy(edit->own, sizeof(edit->own), edit->line);
    }
    edit->history_back = back;
    line = history_line(edit, back);
    delete_range(edit, 0, edit->length);
    lineedit_insert(edit, line, strlen(line));
}

static void history_up(struct lineedit *edit)
{
    if (edit->history_back < edit->history_count) {
        history_look(edit, edit->history_back + 1);
    }
}

static void history_down(struct lineedit *edit)
{
    if (edit->history_back > 0) {
        history_look(edit, edit->history_back - 1);
    }
}

// Empty lines and repetitions are not worth a place.
static void history_add(struct lineedit *edit)
{
    if (edit->length == 0 || (edit->history_count > 0 &&
                              strcmp(history_line(edit, 1), edit->line) == 0)) {
        return;
    }
    string_copy(edit->history[edit->history_next], LINEEDIT_MAX, edit->line);
    edit->history_next = (edit->history_next + 1) % LINEEDIT_HISTORY;
    edit->history_count = MIN(edit->history_count + 1, LINEEDIT_HISTORY);
}

static enum lineedit_result finish(struct lineedit *edit, const char *shown,
                                   enum lineedit_result result)
{
    move_to(edit, edit->length);
    lineedit_show_string(edit, shown);
    if (result == LINEEDIT_LINE) {
        history_add(edit);
    } else {
        edit->line[0] = '\0';
        edit->length = 0;
        edit->cursor = 0;
    }
    return result;
}

static void delete_here(struct lineedit *edit)
{
    if (edit->cursor < edit->length) {
        delete_range(edit, edit->cursor, edit->cursor + 1);
    }
}

// The last byte of an escape sequence, or the number before its `~`.
static void feed_escape_key(struct lineedit *edit, unsigned char key)
{
    switch (key) {
    case 'A':
        history_up(edit);
        break;
    case 'B':
        history_down(edit);
        break;
    case 'C':
        move_to(edit, MIN(edit->cursor + 1, edit->length));
        break;
    case 'D':
        move_to(edit, edit->cursor - (edit->cursor > 0));
        break;
    case 'H':
    case 1:
    case 7:
        move_to(edit, 0);
        break;
    case 'F':
    case 4:
    case 8:
        move_to(edit, edit->length);
        break;
    case 3:
        delete_here(edit);
        break;
    default:
        break;
    }
}

static void feed_escape(struct lineedit *edit, unsigned char byte)
{
    if (edit->escape == ESCAPE_START) {
        edit->escape_code = 0;
        edit->escape = byte == '['   ? ESCAPE_CONTROL
                       : byte == 'O' ? ESCAPE_SHIFT
                                     : ESCAPE_NONE;
        return;
    }
    if (edit->escape == ESCAPE_CONTROL && byte >= 0x20 && byte < 0x40) {
        // Parameters. What has more than one digit is no key of ours.
        edit->escape_code = edit->escape_code == 0 && byte >= '0' && byte <= '9'
                                ? byte - '0'
                                : 0xff;
        return;
    }
    edit->escape = ESCAPE_NONE;
    if (byte == '~') {
        feed_escape_key(edit, edit->escape_code < 10 ? edit->escape_code : 0);
    } else if (byte >= 'A') {
        feed_escape_key(edit, byte);
    }
}

static enum lineedit_result feed_control(struct lineedit *edit,
                                         unsigned char byte)
{
    switch (byte) {
    case '\r':
    case '\n':
        return finish(edit, "\r\n", LINEEDIT_LINE);
    case CTRL('C'):
        return finish(edit, "^C\r\n", LINEEDIT_CANCEL);
    case CTRL('D'):
        if (edit->length == 0) {
            return finish(edit, "\r\n", LINEEDIT_EOF);
        }
        delete_here(edit);
        break;
    case KEY_ESCAPE:
        edit->escape = ESCAPE_START;
        break;
    case '\t':
        lineedit_complete(edit);
        break;
    case '\b':
    case KEY_DELETE_BACK:
        delete_range(edit, edit->cursor - (edit->cursor > 0), edit->cursor);
        break;
    case CTRL('A'):
        feed_escape_key(edit, 'H');
        break;
    case CTRL('E'):
        feed_escape_key(edit, 'F');
        break;
    case CTRL('B'):
        feed_escape_key(edit, 'D');
        break;
    case CTRL('F'):
        feed_escape_key(edit, 'C');
        break;
    case CTRL('P'):
        history_up(edit);
        break;
    case CTRL('N'):
        history_down(edit);
        break;
    case CTRL('K'):
        delete_range(edit, edit->cursor, edit->length);
        break;
    case CTRL('U'):
        delete_range(edit, 0, edit->cursor);
        break;
    case CTRL('W'):
        delete_range(edit, word_start(edit), edit->cursor);
        break;
    case CTRL('L'):
        lineedit_show_string(edit, "\x1b[2J\x1b[H");
        lineedit_show_line(edit);
        break;
    default:
        break;
    }
    return LINEEDIT_MORE;
}

void lineedit_init(struct lineedit *edit, const char *prompt,
                   lineedit_write_fn write, lineedit_complete_fn complete,
                   void *context)
{
    memset(edit, 0, sizeof(*edit));
    edit->prompt = prompt;
    edit->write = write;
    edit->complete = complete;
    edit->context = context;
}

void lineedit_begin(struct lineedit *edit)
{
    edit->line[0] = '\0';
    edit->length = 0;
    edit->cursor = 0;
    edit->escape = ESCAPE_NONE;
    edit->history_back = 0;
    lineedit_show_line(edit);
}

enum lineedit_result lineedit_feed(struct lineedit *edit, char byte)
{
    unsigned char code = (unsigned char)byte;
    bool skip = edit->skip_lf && code == '\n';

    edit->skip_lf = code == '\r';
    if (skip) {
        return LINEEDIT_MORE;
    }
    // A control byte ends a broken sequence and counts by itself, so that the
    // return key always works.
    if (edit->escape != ESCAPE_NONE && code >= 0x20) {
        feed_escape(edit, code);
        return LINEEDIT_MORE;
    }
    edit->escape = ESCAPE_NONE;
    if (code >= 0x20 && code < 0x7f) {
        lineedit_insert(edit, &byte, 1);
        return LINEEDIT_MORE;
    }
    return feed_control(edit, code);
}
