// SPDX-License-Identifier: MIT
//
// The reader of the symbol and line table. tools/symbols is its writer and
// describes the format.
#include "kernel/symbols.h"

#include "lib/string.h"

#define FUNCTIONS_PER_BLOCK 16

// A row's first byte: a short row below ROW_LONG, see tools/symbols.
#define ROW_LONG 0xf0
#define ROW_FILE 0xf1
#define ROW_SHORT_CLIMB_BIAS 4

struct table_header {
    uint64_t base;
    uint32_t functions;
    uint32_t blocks;
    uint32_t files; // offsets from the header, like the two after it
    uint32_t stream;
    uint32_t end;
} __packed;

struct table_block {
    uint32_t address; // less the header's base
    uint32_t offset;  // in the stream
} __packed;

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

struct function {
    uintptr_t start;
    uintptr_t end;
    const char *name;
    struct cursor rows;
};

// From the linker script; equal while the image has no table yet.
extern const uint8_t __ksyms_start[];
extern const uint8_t __ksyms_end[];

static const struct table_header *table(void)
{
    const struct table_header *header = (const void *)__ksyms_start;
    size_t size = (uintptr_t)__ksyms_end - (uintptr_t)__ksyms_start;

    if (size < sizeof(*header) || header->end > size ||
        header->stream > header->end || header->files > header->stream) {
        return NULL;
    }
    return header;
}

static const struct table_block *block_at(const struct table_header *header,
                                          unsigned index)
{
    return (const struct table_block *)(header + 1) + index;
}

static uint64_t read_uleb(struct cursor *cursor)
{
    uint64_t value = 0;
    unsigned shift = 0;

    while (cursor->at < cursor->end && shift < 64) {
        uint8_t byte = *cursor->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (!(byte & 0x80)) {
            break;
        }
    }
    return value;
}

static int64_t read_sleb(struct cursor *cursor)
{
    const uint8_t *start = cursor->at;
    uint64_t value = read_uleb(cursor);
    unsigned bits = 7 * (unsigned)(cursor->at - start);

    if (bits > 0 && bits < 64 && (value >> (bits - 1) & 1)) {
        value |= ~0ull << bits;
    }
    return (int64_t)value;
}

// Take `n` bytes, or what is left; returns where they start.
static const uint8_t *read_bytes(struct cursor *cursor, uint64_t n)
{
    const uint8_t *start = cursor->at;

    cursor->at += MIN(n, (uint64_t)(cursor->end - cursor->at));
    return start;
}

// The next function of the stream, behind the one that `f` holds. False: the
// table ends here.
static bool read_function(struct cursor *cursor, struct function *f)
{
    if (cursor->at >= cursor->end) {
        return false;
    }
    f->start = f->end + read_uleb(cursor);
    f->end = f->start + read_uleb(cursor);
    f->name = (const char *)cursor->at;
    while (cursor->at < cursor->end && *cursor->at != 0) {
        cursor->at++;
    }
    if (cursor->at == cursor->end) {
        return false; // a name without its end
    }
    cursor->at++;
    uint64_t length = read_uleb(cursor);
    f->rows.at = read_bytes(cursor, length);
    f->rows.end = cursor->at;
    return true;
}

// Point `cursor` and `f` at the start of block `index`.
static void enter_block(const struct table_header *header, unsigned index,
                        struct cursor *cursor, struct function *f)
{
    const uint8_t *stream = (const uint8_t *)header + header->stream;
    uint32_t size = header->end - header->stream;

    f->end = header->base + block_at(header, index)->address;
    cursor->at = stream + MIN(block_at(header, index)->offset, size);
    cursor->end = stream + size;
}

static bool find_function(uintptr_t address, struct function *f)
{
    const struct table_header *header = table();
    struct cursor cursor;

    if (header == NULL || header->blocks == 0 || address < header->base) {
        return false;
    }
    unsigned low = 0, high = header->blocks;
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;

        if (header->base + block_at(header, middle)->address <= address) {
            low = middle;
        } else {
            high = middle;
        }
    }
    enter_block(header, low, &cursor, f);
    for (unsigned i = 0; i < FUNCTIONS_PER_BLOCK; i++) {
        if (!read_function(&cursor, f) || address < f->start) {
            return false;
        }
        if (address < f->end) {
            return true;
        }
    }
    return false;
}

static const char *file_name(uint64_t index)
{
    const struct table_header *header = table();
    const char *name = (const char *)header + header->files;
    const char *end = (const char *)header + header->stream;

    for (; index > 0 && name < end; name++) {
        index -= *name == '\0';
    }
    return name < end ? name : "?";
}

const char *symbol_find(uintptr_t address, uintptr_t *offset)
{
    struct function f;

    if (!find_function(address, &f)) {
        return NULL;
    }
    if (offset != NULL) {
        *offset = address - f.start;
    }
    return f.name;
}

bool symbol_line(uintptr_t address, const char **file, unsigned *line)
{
    struct function f;
    uint64_t at_file = 0, row_file = 0;
    int64_t at_line = 0, row_line = 0;

    if (!find_function(address, &f)) {
        return false;
    }
    uintptr_t at = f.start;
    while (f.rows.at < f.rows.end) {
        uint8_t byte = *f.rows.at++;

        if (byte < ROW_LONG) {
            at += byte & 0xf;
            row_line += (byte >> 4) - ROW_SHORT_CLIMB_BIAS;
        } else {
            row_file = byte == ROW_FILE ? read_uleb(&f.rows) : row_file;
            at += read_uleb(&f.rows);
            row_line += read_sleb(&f.rows);
        }
        if (at > address) {
            break;
        }
        at_file = row_file;
        at_line = row_line;
    }
    if (at_line <= 0) {
        return false;
    }
    *file = file_name(at_file);
    *line = (unsigned)at_line;
    return true;
}

bool symbol_address(const char *name, uintptr_t *out)
{
    const struct table_header *header = table();
    struct cursor cursor;
    struct function f;

    for (unsigned i = 0; header != NULL && i < header->blocks; i++) {
        enter_block(header, i, &cursor, &f);
        for (unsigned j = 0; j < FUNCTIONS_PER_BLOCK; j++) {
            if (!read_function(&cursor, &f)) {
                break;
            }
            if (strcmp(f.name, name) == 0) {
                *out = f.start;
                return true;
            }
        }
    }
    return false;
}

const char *symbol_name(unsigned index)
{
    const struct table_header *header = table();
    struct cursor cursor;
    struct function f;

    if (header == NULL || index / FUNCTIONS_PER_BLOCK >= header->blocks) {
        return NULL;
    }
    enter_block(header, index / FUNCTIONS_PER_BLOCK, &cursor, &f);
    for (unsigned i = 0; i <= index % FUNCTIONS_PER_BLOCK; i++) {
        if (!read_function(&cursor, &f)) {
            return NULL;
        }
    }
    return f.name;
}
