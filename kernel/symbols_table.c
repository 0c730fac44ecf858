// SPDX-License-Identifier: MIT
//
// The reader of the table of symbols. tools/symbols is its writer and describes
// the format.
#include "kernel/symbols_internal.h"
#include "lib/string.h"

#define FUNCTIONS_PER_BLOCK 16

struct table_header {
    uint64_t base;
    uint32_t functions;
    uint32_t blocks;
    uint32_t files; // offsets from the header, like the three after it
    uint32_t origins;
    uint32_t stream;
    uint32_t end;
} __packed;

struct table_block {
    uint32_t address; // less the header's base
    uint32_t offset;  // in the stream
} __packed;

// From the linker script; equal while the image has no table yet.
extern const uint8_t __ksyms_start[];
extern const uint8_t __ksyms_end[];

static const struct table_header *table(void)
{
    const struct table_header *header = (const void *)__ksyms_start;
    size_t size = (uintptr_t)__ksyms_end - (uintptr_t)__ksyms_start;

    if (size < sizeof(*header) || header->end > size ||
        header->stream > header->end || header->origins > header->stream ||
        header->files > header->origins || header->files < sizeof(*header) ||
        header->blocks >
            (header->files - sizeof(*header)) / sizeof(struct table_block)) {
        return NULL;
    }
    return header;
}

static const struct table_block *block_at(const struct table_header *header,
                                          unsigned index)
{
    return (const struct table_block *)(header + 1) + index;
}

uint64_t table_read_uleb(struct cursor *cursor)
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

int64_t table_read_sleb(struct cursor *cursor)
{
    const uint8_t *start = cursor->at;
    uint64_t value = table_read_uleb(cursor);
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

struct cursor table_read_part(struct cursor *cursor)
{
    uint64_t length = table_read_uleb(cursor);
    const uint8_t *start = read_bytes(cursor, length);

    return (struct cursor){start, cursor->at};
}

// Take a text and its NUL. NULL: it has no end, and nothing is left.
static const char *read_text(struct cursor *cursor)
{
    const char *text = (const char *)cursor->at;

    while (cursor->at < cursor->end) {
        if (*cursor->at++ == 0) {
            return text;
        }
    }
    return NULL;
}

// The next function of the stream, behind the one that `f` holds. False: the
// table ends here.
static bool read_function(struct cursor *cursor, struct function *f)
{
    if (cursor->at >= cursor->end) {
        return false;
    }
    f->start = f->end + table_read_uleb(cursor);
    f->end = f->start + table_read_uleb(cursor);
    f->name = read_text(cursor);
    if (f->name == NULL) {
        return false;
    }
    f->rows = table_read_part(cursor);
    f->inlines = table_read_part(cursor);
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

bool table_function_at(uintptr_t address, struct function *f)
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

static struct cursor table_part(uint32_t start, uint32_t end)
{
    const uint8_t *bytes = (const uint8_t *)table();

    return (struct cursor){bytes + start, bytes + end};
}

const char *table_file_name(uint64_t index)
{
    struct cursor files = table_part(table()->files, table()->origins);
    const char *name = read_text(&files);

    for (; index > 0 && name != NULL; index--) {
        name = read_text(&files);
    }
    return name != NULL ? name : "?";
}

const char *table_origin_name(uint64_t index, struct place *declared)
{
    struct cursor origins = table_part(table()->origins, table()->stream);
    const char *name;

    do {
        declared->file = table_read_uleb(&origins);
        declared->line = table_read_uleb(&origins);
        name = read_text(&origins);
    } while (index-- > 0 && name != NULL);
    return name != NULL ? name : "?";
}

bool table_function_named(const char *name, struct function *f)
{
    const struct table_header *header = table();
    struct cursor cursor;

    for (unsigned i = 0; header != NULL && i < header->blocks; i++) {
        enter_block(header, i, &cursor, f);
        for (unsigned j = 0; j < FUNCTIONS_PER_BLOCK; j++) {
            if (!read_function(&cursor, f)) {
                break;
            }
            if (strcmp(f->name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

bool table_function_by_number(unsigned index, struct function *f)
{
    const struct table_header *header = table();
    struct cursor cursor;

    if (header == NULL || index / FUNCTIONS_PER_BLOCK >= header->blocks) {
        return false;
    }
    enter_block(header, index / FUNCTIONS_PER_BLOCK, &cursor, f);
    for (unsigned i = 0; i <= index % FUNCTIONS_PER_BLOCK; i++) {
        if (!read_function(&cursor, f)) {
            return false;
        }
    }
    return true;
}
