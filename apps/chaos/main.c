// SPDX-License-Identifier: MIT
//
// A run: a new store in the first persistent memory, some rounds of work and
// chaos, and what came of it. Words behind `--`: strays=N seed=N workers=N
// rounds=N keys=N force. A round ends when damage is seen; the last one goes on
// until no stray is left.
#include "apps/chaos/chaos.h"
#include "lib/number.h"
#include "lib/panic.h"

#define STRAYS_DEFAULT 10000
#define WORKERS_DEFAULT 2
#define WORKERS_MAX 16
#define ROUNDS_DEFAULT 8
#define KEYS_DEFAULT 1024
#define KEYS_MAX 1000000
#define THREADS_MAX 64
#define BLOCKS_LEAST 256

struct chaos chaos;

static struct {
    unsigned keys;
    bool force;
    struct thread *thread[THREADS_MAX];
    struct culprit culprit[THREADS_MAX];
    unsigned threads, culprits;
} run;

uint64_t chaos_seed(uint64_t number)
{
    uint64_t state = (chaos.seed ^ number << 40) * 0x9e3779b97f4a7c15ull +
                     chaos.verdict.rounds + 1;
    return state != 0 ? state : 1;
}

void chaos_damage(void)
{
    if (!chaos.patient) {
        __atomic_store_n(&chaos.stop, true, __ATOMIC_RELAXED);
    }
}

// ----------------------------------------------------------------------- Words

struct word {
    const char *name;
    uint64_t *value;
    uint64_t limit;
};

// Whether it is `name=N`, with N from 1 to the limit.
static bool word_take(const struct word *word, const char *text)
{
    size_t length = strlen(word->name);

    return strlen(text) > length && memcmp(text, word->name, length) == 0 &&
           text[length] == '=' &&
           number_parse(text + length + 1, word->value) && *word->value != 0 &&
           *word->value <= word->limit;
}

static bool words_take(int argc, char **argv)
{
    uint64_t workers = WORKERS_DEFAULT, rounds = ROUNDS_DEFAULT;
    uint64_t keys = KEYS_DEFAULT;
    const struct word words[] = {
        {"strays", &chaos.strays, INT64_MAX},
        {"seed", &chaos.seed, UINT64_MAX},
        {"workers", &workers, WORKERS_MAX},
        {"rounds", &rounds, UINT32_MAX},
        {"keys", &keys, KEYS_MAX},
    };

    chaos.strays = STRAYS_DEFAULT;
    for (int i = 1; i < argc; i++) {
        bool taken = strcmp(argv[i], "force") == 0;
        run.force = run.force || taken;
        for (unsigned j = 0; j < ARRAY_SIZE(words) && !taken; j++) {
            taken = word_take(&words[j], argv[i]);
        }
        if (!taken) {
            printf("chaos: %s: want strays=N seed=N workers=N rounds=N keys=N "
                   "force\n",
                   argv[i]);
            return false;
        }
    }
    chaos.seed = chaos.seed != 0 ? chaos.seed : test_seed();
    chaos.workers = (unsigned)workers;
    chaos.rounds = (unsigned)rounds;
    run.keys = MAX((unsigned)keys, chaos.workers);
    return true;
}

// --------------------------------------------------------------------- Threads

static void thread_begin(const char *name, int (*fn)(void *), void *arg)
{
    struct thread *thread =
        run.threads < THREADS_MAX ? thread_create(name, fn, arg) : NULL;
    if (thread == NULL) {
        panic("chaos: no thread %s; give the machine more memory (qemu -m)",
              name);
    }
    run.thread[run.threads++] = thread;
}

static struct culprit *culprit_new(void)
{
    struct culprit *culprit = &run.culprit[run.culprits];

    *culprit = (struct culprit){
        .random = chaos_seed(run.culprits),
        .number = run.culprits,
        .own = culprit->own != NULL ? culprit->own : alloc_page(domain_ram),
    };
    if (culprit->own == NULL) {
        panic("chaos: no frame; give the machine more memory (qemu -m)");
    }
    run.culprits++;
    return culprit;
}

static void threads_run(void)
{
    unsigned cpus = MIN(cpus_online(), 8);

    run.threads = run.culprits = 0;
    for (uintptr_t i = 0; i < chaos.workers; i++) {
        thread_begin("worker", worker_run, (void *)i);
    }
    for (uintptr_t i = 0; i < cpus; i++) {
        thread_begin("holder", holder_run, (void *)i);
        thread_begin("culprit", culprit_run, culprit_new());
    }
    thread_begin("caller", caller_run, culprit_new());
    thread_begin("nmi sender", nmi_sender_run, culprit_new());
    for (unsigned i = 0; i < run.threads; i++) {
        (void)thread_join(run.thread[i]);
    }
}

// ---------------------------------------------------------------------- Rounds

static bool store_make(bool force)
{
    uint8_t uuid[STORE_UUID_SIZE];
    struct store_problem problem;
    uint64_t bytes = chaos.frames * PAGE_SIZE, random = chaos_seed(400);

    for (unsigned i = 0; i < sizeof(uuid); i++) {
        uuid[i] = (uint8_t)chaos_random(&random);
    }
    int result = store_format(chaos.first, bytes, uuid, force);
    if (result == -EEXIST) {
        printf("chaos: pmem0 is not empty; the word `force` overwrites it\n");
        return false;
    }
    if (result == 0) {
        result = store_mount(chaos.first, bytes, 0, &chaos.store, &problem);
    }
    if (result != 0) {
        printf("chaos: no store can be made: error %d\n", -result);
    }
    return result == 0;
}

static bool place_find(void)
{
    const struct pmem_region *region = pmem_region(0);
    uint64_t blocks = region != NULL ? region->length / STORE_BLOCK_SIZE : 0;

    if (blocks < BLOCKS_LEAST) {
        printf("chaos: want persistent memory, 4 MiB at least: tools/run-qemu "
               "--pmem FILE,16M\n");
        return false;
    }
    chaos.first = region->first;
    chaos.frames = (blocks - SCRATCH_BLOCKS) * BLOCK_FRAMES;
    chaos.touched = kmalloc(blocks / 8);
    return chaos.touched != NULL;
}

static bool round_run(bool first)
{
    size_t bits = (chaos.frames / BLOCK_FRAMES + 63) / 64 * sizeof(uint64_t);

    if (!model_make(run.keys) || !store_make(run.force || !first)) {
        return false;
    }
    if (!model_fill()) {
        printf("chaos: the keys do not fit; want fewer keys=N, or a larger "
               "file\n");
        return false;
    }
    memset(chaos.touched, 0, bits);
    memset(chaos.lent, 0, sizeof(chaos.lent));
    memset(chaos.recent, 0, sizeof(chaos.recent));
    chaos.patient = chaos.verdict.rounds + 1 >= chaos.rounds;
    chaos.stop = false;
    threads_run();
    verify_round();
    return true;
}

int app_main(int argc, char **argv)
{
    if (!words_take(argc, argv) || !place_find()) {
        return 1;
    }
    chaos.left = (int64_t)chaos.strays;
    printf("chaos: %llu stray writes, seed %llu\n",
           (unsigned long long)chaos.strays, (unsigned long long)chaos.seed);
    for (bool first = true; first || chaos.left > 0; first = false) {
        if (!round_run(first)) {
            return 1;
        }
    }
    return report_print() ? 0 : 1;
}
