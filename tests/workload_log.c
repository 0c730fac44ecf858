// SPDX-License-Identifier: MIT
//
// A log: records of 24 to 528 bytes go to a ring of 64 KiB in a domain of its
// own, straight through a bracket, or made elsewhere and copied. Replayed at
// the end.
#include "tests/bench.h"
#include "tests/workload.h"

#define LOG_ORDER 4
#define LOG_BYTES (PAGE_SIZE << LOG_ORDER)
#define WORDS_MAX 64
#define BATCH 64

// 8-byte words follow. A record of no words says that the ring goes on at its
// start.
struct record {
    uint32_t words, sequence;
    uint64_t sum;
};

#define RECORD_MAX (sizeof(struct record) + WORDS_MAX * sizeof(uint64_t))

struct log {
    struct domain *domain;
    struct page *first;
    size_t head; // where the next record goes
    uint32_t sequence;
    uint64_t random;
};

static size_t record_bytes(uint32_t words)
{
    return sizeof(struct record) + words * sizeof(uint64_t);
}

static uint64_t record_sum(const struct record *record)
{
    struct workload_sum sum = {.low = record->sequence};
    workload_sum_add(&sum, (const uint64_t *)(record + 1), record->words);
    return sum.high ^ sum.low;
}

static void record_fill(struct record *record, uint32_t words,
                        uint32_t sequence)
{
    uint64_t *word = (uint64_t *)(record + 1);
    *record = (struct record){words, sequence, 0};
    for (uint32_t i = 0; i < words; i++) {
        word[i] = ((uint64_t)sequence << 32) + i;
    }
    record->sum = record_sum(record);
}

static void put_in_place(struct log *log, uint32_t words)
{
    struct record *record =
        kmap_local_range(log->first, log->head, record_bytes(words));
    record_fill(record, words, log->sequence);
    kunmap_local(record);
}

static void put_by_copy(struct log *log, uint32_t words)
{
    uint64_t buffer[RECORD_MAX / sizeof(uint64_t)];
    size_t length = record_bytes(words);
    record_fill((struct record *)buffer, words, log->sequence);
    for (size_t done = 0; done < length;) {
        size_t at = log->head + done, offset = at % PAGE_SIZE;
        size_t piece = MIN(PAGE_SIZE - offset, length - done);
        memcpy_to_page(log->first + at / PAGE_SIZE, offset,
                       (const char *)buffer + done, piece);
        done += piece;
    }
}

typedef void (*put_fn)(struct log *log, uint32_t words);

static void append(struct log *log, put_fn put)
{
    uint32_t words = 1 + (uint32_t)workload_random(&log->random, WORDS_MAX);
    if (log->head + record_bytes(words) + sizeof(struct record) > LOG_BYTES) {
        put(log, 0);
        log->head = 0;
    }
    put(log, words);
    log->head += record_bytes(words);
    log->sequence++;
}

// From the start of the ring to its head: as many records, one after the other,
// and the newest last.
static bool replay(const struct log *log)
{
    const char *ring = kmap_local_range_ro(log->first, 0, LOG_BYTES);
    uint32_t sequence = ((const struct record *)ring)->sequence;
    size_t at = 0;
    bool good = true;
    while (good && at < log->head) {
        const struct record *record = (const void *)(ring + at);
        good = record->words > 0 && record->words <= WORDS_MAX &&
               record->sequence == sequence++ &&
               record->sum == record_sum(record);
        at += record_bytes(record->words);
    }
    kunmap_local(ring);
    return good && at == log->head && sequence == log->sequence;
}

static void log_bench(put_fn put)
{
    struct log log = {.domain = domain_create("log"), .random = 4};
    CHECK(log.domain != NULL);
    log.first = alloc_pages(log.domain, LOG_ORDER);
    CHECK(log.first != NULL);
    bench_batch(BATCH);
    BENCH_LOOP (n) {
        append(&log, put);
    }
    CHECK(log.sequence > 1000);
    CHECK(replay(&log));
    free_pages(log.first, LOG_ORDER);
    CHECK_EQ(domain_destroy(log.domain), 0);
}

BENCH(workload, log_in_place)
{
    log_bench(put_in_place);
}

BENCH(workload, log_by_copy)
{
    log_bench(put_by_copy);
}
