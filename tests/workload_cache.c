// SPDX-License-Identifier: MIT
//
// Reads from a page cache: 1 byte to 64 KiB at a random place of a file whose
// pages lie anywhere, into memory of the reader. Short reads are as frequent as
// long ones, by powers of two.
#include "tests/bench.h"
#include "tests/workload.h"

#define FILE_PAGES 64
#define FILE_BYTES (FILE_PAGES * PAGE_SIZE)
#define READ_BITS 16 // 64 KiB
#define BATCH 32

struct file {
    struct page *pages[FILE_PAGES];
    uint8_t *buffer; // 64 KiB
    uint64_t random;
    unsigned wrong; // reads that gave something else
};

// What the file has at a place.
static uint64_t word_at(size_t word)
{
    return (word + 1) * 0x9e3779b97f4a7c15ull;
}

static uint8_t byte_at(size_t at)
{
    return (uint8_t)(word_at(at / 8) >> 8 * (at % 8));
}

static bool file_make(struct file *file)
{
    *file = (struct file){.random = 2};
    file->buffer = kmalloc(1ul << READ_BITS);
    if (file->buffer == NULL ||
        !workload_frames_alloc(domain_ram, file->pages, FILE_PAGES)) {
        return false;
    }
    for (size_t i = 0; i < FILE_PAGES; i++) {
        uint64_t *words = kmap_local_page(file->pages[i]);
        for (size_t k = 0; k < PAGE_SIZE / 8; k++) {
            words[k] = word_at(i * PAGE_SIZE / 8 + k);
        }
        kunmap_local(words);
    }
    return true;
}

static void file_free(struct file *file)
{
    workload_frames_free(file->pages, FILE_PAGES);
    kfree(file->buffer);
}

static void read_by_page(struct file *file, size_t at, size_t length)
{
    for (size_t done = 0; done < length;) {
        size_t offset = (at + done) % PAGE_SIZE;
        size_t piece = MIN(PAGE_SIZE - offset, length - done);
        memcpy_from_page(file->buffer + done,
                         file->pages[(at + done) / PAGE_SIZE], offset, piece);
        done += piece;
    }
}

static void read_by_list(struct file *file, size_t at, size_t length)
{
    size_t first = at / PAGE_SIZE, last = (at + length - 1) / PAGE_SIZE;
    const uint8_t *from =
        kmap_local_pages_ro(file->pages + first, last - first + 1);
    memcpy(file->buffer, from + at % PAGE_SIZE, length);
    kunmap_local(from);
}

typedef void (*read_fn)(struct file *file, size_t at, size_t length);

// A random read; looks at both ends of what came, which is cheap.
static size_t read_random(struct file *file, read_fn read, size_t *at)
{
    size_t most = 1ul << workload_random(&file->random, READ_BITS + 1);
    size_t length = 1 + workload_random(&file->random, most);
    *at = workload_random(&file->random, FILE_BYTES - length + 1);
    read(file, *at, length);
    file->wrong += file->buffer[0] != byte_at(*at) ||
                   file->buffer[length - 1] != byte_at(*at + length - 1);
    return length;
}

// Some more, looked at byte for byte.
static unsigned bytes_wrong(struct file *file, read_fn read)
{
    unsigned wrong = 0;
    for (unsigned i = 0; i < 20; i++) {
        size_t at, length = read_random(file, read, &at);
        for (size_t k = 0; k < length; k++) {
            wrong += file->buffer[k] != byte_at(at + k);
        }
    }
    return wrong;
}

static void cache_bench(read_fn read)
{
    struct file file;
    CHECK(file_make(&file));
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        size_t at;
        read_random(&file, read, &at);
    }
    CHECK_EQ(file.wrong, 0);
    CHECK_EQ(bytes_wrong(&file, read), 0);
    file_free(&file);
}

BENCH(workload, cache_read_by_page)
{
    cache_bench(read_by_page);
}

BENCH(workload, cache_read_by_list)
{
    cache_bench(read_by_list);
}
