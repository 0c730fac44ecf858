// SPDX-License-Identifier: MIT
//
// Functions, lines and inlined code, as the table of symbols has them.
#include "kernel/symbols.h"

#include "kernel/symbols_internal.h"

// A row's first byte: a short row below ROW_LONG, see tools/symbols.
#define ROW_LONG 0xf0
#define ROW_FILE 0xf1
#define ROW_SHORT_CLIMB_BIAS 4

// What a piece of inlined code has, in the word with the number of its origin.
#define PIECE_OTHER_FILE BIT(0)
#define PIECE_HAS_INNER BIT(1)
#define PIECE_ORIGIN_SHIFT 2

// A piece of inlined code.
struct piece {
    uintptr_t start;
    uintptr_t end;
    uint64_t origin;
    struct place call;
    struct cursor inner;
};

const char *symbol_find(uintptr_t address, uintptr_t *offset)
{
    struct function f;

    if (!table_function_at(address, &f)) {
        return NULL;
    }
    if (offset != NULL) {
        *offset = address - f.start;
    }
    return f.name;
}

// The next row: moves address and place.
static void read_row(struct cursor *rows, uintptr_t *at, struct place *place)
{
    uint8_t byte = *rows->at++;

    if (byte < ROW_LONG) {
        *at += byte & 0xf;
        place->line += (uint64_t)(byte >> 4) - ROW_SHORT_CLIMB_BIAS;
        return;
    }
    if (byte == ROW_FILE) {
        place->file = table_read_uleb(rows);
    }
    *at += table_read_uleb(rows);
    place->line += (uint64_t)table_read_sleb(rows);
}

static struct place place_of(const struct function *f, uintptr_t address)
{
    struct cursor rows = f->rows;
    struct place found = {0, 0}, row = {0, 0};
    uintptr_t at = f->start;

    while (rows.at < rows.end) {
        read_row(&rows, &at, &row);
        if (at > address) {
            break;
        }
        found = row;
    }
    return found;
}

static bool is_line(const struct place *place)
{
    return place->line > 0 && place->line <= INT32_MAX;
}

bool symbol_line(uintptr_t address, const char **file, unsigned *line)
{
    struct function f;

    if (!table_function_at(address, &f)) {
        return false;
    }
    struct place place = place_of(&f, address);
    if (!is_line(&place)) {
        return false;
    }
    *file = table_file_name(place.file);
    *line = (unsigned)place.line;
    return true;
}

// The piece that holds `address`, of those in code that begins at `start` and
// belongs to what was declared at `around`. False: none.
static bool find_piece(struct cursor pieces, uintptr_t start,
                       struct place around, uintptr_t address,
                       struct piece *piece)
{
    while (pieces.at < pieces.end) {
        piece->start = start + table_read_uleb(&pieces);
        piece->end = piece->start + table_read_uleb(&pieces);
        uint64_t word = table_read_uleb(&pieces);
        piece->origin = word >> PIECE_ORIGIN_SHIFT;
        piece->call.file =
            word & PIECE_OTHER_FILE ? table_read_uleb(&pieces) : around.file;
        piece->call.line = around.line + (uint64_t)table_read_sleb(&pieces);
        piece->inner = (struct cursor){pieces.at, pieces.at};
        if (word & PIECE_HAS_INNER) {
            piece->inner = table_read_part(&pieces);
        }
        if (address < piece->end) {
            return address >= piece->start;
        }
        start = piece->end;
    }
    return false;
}

static void frame_place(struct symbol_frame *frame, const struct place *place)
{
    frame->file = is_line(place) ? table_file_name(place->file) : NULL;
    frame->line = is_line(place) ? (unsigned)place->line : 0;
}

static void reverse(struct symbol_frame *frames, unsigned n)
{
    for (unsigned i = 0; i < n / 2; i++) {
        struct symbol_frame other = frames[n - 1 - i];

        frames[n - 1 - i] = frames[i];
        frames[i] = other;
    }
}

unsigned symbol_frames(uintptr_t address,
                       struct symbol_frame frames[SYMBOL_FRAMES_MAX])
{
    struct function f;
    struct piece piece;
    struct place declared = {0, 0};
    unsigned n = 1;

    if (!table_function_at(address, &f)) {
        return 0;
    }
    // Where a function begins is where it was declared, near enough.
    struct cursor rows = f.rows;
    uintptr_t start = f.start;
    if (rows.at < rows.end) {
        read_row(&rows, &start, &declared);
    }
    start = f.start;
    frames[0].function = f.name;
    for (struct cursor pieces = f.inlines;
         n < SYMBOL_FRAMES_MAX &&
         find_piece(pieces, start, declared, address, &piece);
         n++) {
        frame_place(&frames[n - 1], &piece.call);
        frames[n].function = table_origin_name(piece.origin, &declared);
        start = piece.start;
        pieces = piece.inner;
    }
    struct place place = place_of(&f, address);
    frame_place(&frames[n - 1], &place);
    reverse(frames, n);
    return n;
}

const char *symbol_innermost(uintptr_t address)
{
    struct symbol_frame frames[SYMBOL_FRAMES_MAX];

    return symbol_frames(address, frames) > 0 ? frames[0].function : NULL;
}

bool symbol_address(const char *name, uintptr_t *out)
{
    struct function f;

    if (!table_function_named(name, &f)) {
        return false;
    }
    *out = f.start;
    return true;
}

const char *symbol_name(unsigned index)
{
    struct function f;

    return table_function_by_number(index, &f) ? f.name : NULL;
}
