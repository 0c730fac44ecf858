// SPDX-License-Identifier: MIT
//
// All of it at once, for as long as the command line says: `make soak
// MINUTES=n`. Rounds of the threads' model, with and without memory, and of the
// single thread's, each with a storm beside it; an audit behind each; and a
// line of progress.
#include "kernel/audit_print.h"
#include "kernel/config.h"
#include "kernel/timer.h"
#include "kernel/watchdog.h"
#include "lib/string.h"
#include "mm/frames.h"
#include "tests/model.h"
#include "tests/model_threads.h"
#include "tests/storm.h"

#define ROUND_US 4000000
#define ROUND_STEPS 3000 // of the single thread
#define MINUTE_US 60000000ull
#define ROUNDS_TO_SETTLE 6 // until what only grows has grown

enum round { THREADS, THREADS_WITHOUT_MEMORY, SINGLE_THREAD, ROUNDS };

static const char *const names[ROUNDS] = {"threads", "threads, little memory",
                                          "single thread"};

static unsigned minutes_asked_for(void)
{
    static const char prefix[] = "minutes=";
    unsigned minutes = 0;
    if (config.argc != 2 ||
        strncmp(config.argv[1], prefix, sizeof(prefix) - 1) != 0) {
        return 0;
    }
    for (const char *c = config.argv[1] + sizeof(prefix) - 1;
         *c >= '0' && *c <= '9'; c++) {
        minutes = 10 * minutes + (unsigned)(*c - '0');
    }
    return minutes;
}

static bool round_run(enum round round, uint64_t seed, uint64_t end)
{
    uint64_t round_end = MIN(clock_now() + clock_ticks(ROUND_US), end);
    bool stormy = storm_start(
        round == THREADS_WITHOUT_MEMORY ? STORM_WITHOUT_MEMORY : STORM_PLAIN);
    bool good = round == SINGLE_THREAD
                    ? model_sequence_run(seed, ROUND_STEPS)
                    : model_threads_run(seed, ~0ull, round_end);
    return storm_stop() && stormy && good;
}

static void progress_print(unsigned round, unsigned seconds, uint64_t seed)
{
    struct storm_counts counts;
    struct map_stats stats;
    storm_counts_read(&counts);
    map_stats_read(&stats);
    printf("# soak: %u s, round %u (%s, seed %llu): ", seconds, round,
           names[round % ROUNDS], (unsigned long long)seed);
    printf("%llu steps of threads, %llu handlers, %llu short threads, "
           "%llu shortages, %llu brackets, %llu faults, %zu KiB free\n",
           (unsigned long long)model_threads_steps(),
           (unsigned long long)counts.handlers,
           (unsigned long long)counts.threads,
           (unsigned long long)counts.shortages,
           (unsigned long long)stats.brackets, (unsigned long long)stats.faults,
           (size_t)(frames_free_bytes() / 1024));
}

TEST(soak, mix)
{
    unsigned minutes = minutes_asked_for();
    if (minutes == 0) {
        SKIP("takes minutes; ask for it by make soak MINUTES=n");
    }
    uint64_t seed = test_seed(), start = clock_now(), settled = 0;
    uint64_t end = start + clock_ticks(minutes * MINUTE_US);
    CHECK(clock_ticks(1000) != 0);
    for (unsigned round = 0; clock_now() < end; round++) {
        bool good = round_run(round % ROUNDS, seed + round, end);
        uint64_t passed = (clock_now() - start) / clock_ticks(1000);
        progress_print(round, (unsigned)(passed / 1000), seed + round);
        watchdog_progress();
        CHECK(good);
        CHECK(audit_print("# audit: "));
        if (round <= ROUNDS_TO_SETTLE) {
            settled = frames_free_bytes();
        }
    }
    printf("# soak: %llu KiB free after the first rounds, %llu KiB in the "
           "end\n",
           (unsigned long long)(settled / 1024),
           (unsigned long long)(frames_free_bytes() / 1024));
}
