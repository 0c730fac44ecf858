// SPDX-License-Identifier: MIT
//
// Stray writes of threads. Each is probed, or caught, so that the run goes on;
// what the fault says of it is compared with what was done.
#include "apps/chaos/chaos.h"
#include "kernel/symbols.h"
#include "mm/bracket.h"

#define LENGTH_MAX 64
#define LIST_FRAMES 4
#define LONG_FRAMES 16
#define BORDER 32 // bytes of the header's frame that stay 0
#define STALE_USES 32
#define SPREE 16      // strays, before others have their turn
#define RECENT_OF_4 2 // aims of 4 that are where the store is read

const char *stray_name(enum stray kind)
{
    static const char *const names[] = {
        [STRAY_RANDOM] = "direct map",
        [STRAY_STALE] = "stale pointer",
        [STRAY_STALE_LIST] = "stale, of a list",
        [STRAY_STALE_KMAP] = "stale, of kmap()",
        [STRAY_LENT] = "another thread's",
        [STRAY_READ_ONLY] = "read-only bracket",
        [STRAY_BEYOND] = "beyond a bracket",
        [STRAY_WRONG_FRAME] = "wrong frame",
        [STRAY_MEMSET] = "memset too long",
        [STRAY_LONG] = "read-only vmap",
        [STRAY_PLAIN] = "plain store",
        [STRAY_CALL] = "interrupt",
        [STRAY_TIMER] = "timer",
        [STRAY_NMI] = "NMI",
        [STRAY_FROZEN] = "frozen block",
        [STRAY_SAME_DOMAIN] = "same domain",
    };
    _Static_assert(ARRAY_SIZE(names) == STRAYS, "names");
    return names[kind];
}

bool stray_take(void)
{
    if (!chaos_stops() &&
        __atomic_fetch_sub(&chaos.left, 1, __ATOMIC_RELAXED) > 0) {
        return true;
    }
    __atomic_store_n(&chaos.stop, true, __ATOMIC_RELAXED);
    return false;
}

// -------------------------------------------------------------------- Counting

static void touch(const struct aim *aim)
{
    size_t first = (size_t)(aim->page - chaos.first) / BLOCK_FRAMES;
    size_t offset = (uintptr_t)aim->address % PAGE_SIZE + aim->length - 1;
    size_t last =
        (size_t)(aim->page - chaos.first + offset / PAGE_SIZE) / BLOCK_FRAMES;

    for (size_t block = first; block <= last; block++) {
        if (block < chaos.frames / BLOCK_FRAMES) {
            __atomic_fetch_or(&chaos.touched[block / 64], BIT(block % 64),
                              __ATOMIC_RELAXED);
        }
    }
}

// Whether a fault is about this write, and says nothing that is not so.
static bool is_about(const struct fault *fault, const struct aim *aim)
{
    uintptr_t from = (uintptr_t)aim->address + aim->skip;
    uintptr_t frames = fault->address / PAGE_SIZE - from / PAGE_SIZE;

    return fault->access == ACCESS_WRITE &&
           (fault->kind == FAULT_PKEY || fault->kind == FAULT_NOT_PRESENT ||
            fault->kind == FAULT_WRITE_PROTECT) &&
           fault->address - from < aim->length - aim->skip &&
           (fault->page == NULL ||
            (aim->page != NULL && fault->page == aim->page + frames));
}

static void note(enum stray kind, const struct aim *aim, bool through,
                 const struct fault *fault, bool blamed)
{
    struct stray_count *count = &chaos.count[kind];

    chaos_count(&count->tried, 1);
    if (through) {
        chaos_count(&count->through, 1);
        if (kind != STRAY_SAME_DOMAIN && aim->page != NULL) {
            touch(aim);
        }
        return;
    }
    chaos_count(&count->refused, 1);
    if (!is_about(fault, aim) || !blamed) {
        chaos_count(&count->odd, 1);
    } else if (fault->page != NULL) {
        chaos_count(&count->named, 1);
    }
}

// -------------------------------------------------------------------- Writing

void stray_aim(struct culprit *culprit, struct aim *aim)
{
    uint64_t random = chaos_random(&culprit->random);
    struct page *page =
        __atomic_load_n(&chaos.recent[random % LENT], __ATOMIC_RELAXED);

    if (page == NULL || random / LENT % 4 >= RECENT_OF_4) {
        page = chaos.first + random / 256 % (chaos.frames - 1);
    }
    size_t offset = chaos_random(&culprit->random) % PAGE_SIZE;
    *aim = (struct aim){
        .address = chaos_direct((size_t)(page - chaos.first)) + offset,
        .length = 1 + chaos_random(&culprit->random) % LENGTH_MAX,
        .page = page,
    };
}

void stray_write(enum stray kind, struct culprit *culprit,
                 const struct aim *aim)
{
    uint64_t bytes[LENGTH_MAX / sizeof(uint64_t)];
    struct fault fault;

    for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
        bytes[i] = chaos_random(&culprit->random);
    }
    if (aim->skip != 0) {
        memset(bytes, 0, aim->skip);
    }
    bool through = probe_write(aim->address, bytes, aim->length, &fault);
    note(kind, aim, through, &fault, true);
}

// The same offset, and as much as fits the frame, from another address.
static void aim_at(struct aim *aim, const uint8_t *frame)
{
    size_t offset = (uintptr_t)aim->address % PAGE_SIZE;

    aim->address = (uint8_t *)(uintptr_t)frame + offset;
    aim->length = MIN(aim->length, PAGE_SIZE - offset);
}

static void stray_random(struct culprit *culprit)
{
    struct aim aim;

    stray_aim(culprit, &aim);
    stray_write(STRAY_RANDOM, culprit, &aim);
}

static void stray_stale(struct culprit *culprit)
{
    struct aim aim;
    const uint8_t *frame;

    stray_aim(culprit, &aim);
    if (chaos_random(&culprit->random) % 2 == 0) {
        frame = kmap_local_page(aim.page);
    } else {
        frame = kmap_local_page_ro(aim.page);
    }
    kunmap_local(frame);
    aim_at(&aim, frame);
    stray_write(STRAY_STALE, culprit, &aim);
}

static void stray_stale_list(struct culprit *culprit)
{
    struct page *pages[LIST_FRAMES];
    struct aim aim[LIST_FRAMES];

    for (unsigned i = 0; i < LIST_FRAMES; i++) {
        stray_aim(culprit, &aim[i]);
        pages[i] = aim[i].page;
    }
    const uint8_t *frames = kmap_local_pages(pages, LIST_FRAMES);
    kunmap_local(frames);
    unsigned which = chaos_random(&culprit->random) % LIST_FRAMES;
    aim_at(&aim[which], frames + which * PAGE_SIZE);
    stray_write(STRAY_STALE_LIST, culprit, &aim[which]);
}

// kmap() gives a right to everybody: frames of which this thread alone does
// that, in no block that it uses otherwise. A kunmap() waits for other CPUs, so
// each is used for several strays.
static void stray_stale_kmap(struct culprit *culprit)
{
    struct aim aim;

    stray_aim(culprit, &aim);
    if (culprit->stale == NULL || culprit->stale_uses++ % STALE_USES == 0) {
        size_t frame = (1 + culprit->number) * BLOCK_FRAMES +
                       chaos_random(&culprit->random) % BLOCK_FRAMES;
        culprit->stale_page = chaos.first + frame;
        culprit->stale = kmap(culprit->stale_page);
        if (culprit->stale == NULL) {
            return;
        }
        kunmap(culprit->stale_page);
    }
    aim.page = culprit->stale_page;
    aim_at(&aim, culprit->stale);
    stray_write(STRAY_STALE_KMAP, culprit, &aim);
}

// Whose it is has it open, or had; here nothing is.
static void stray_lent(struct culprit *culprit)
{
    unsigned slot = chaos_random(&culprit->random) % LENT;
    const uint8_t *pointer =
        __atomic_load_n(&chaos.lent[slot], __ATOMIC_RELAXED);
    size_t at = (size_t)(pointer - chaos_direct(0));
    struct aim aim;

    stray_aim(culprit, &aim);
    if (pointer != NULL) {
        aim.address = (uint8_t *)(uintptr_t)pointer;
        aim.length = sizeof(uint64_t);
        // In a window of another thread's there is no frame for this one.
        aim.page =
            at < chaos.frames * PAGE_SIZE ? chaos.first + at / PAGE_SIZE : NULL;
    }
    stray_write(STRAY_LENT, culprit, &aim);
}

static void stray_read_only(struct culprit *culprit)
{
    struct aim aim;

    stray_aim(culprit, &aim);
    const uint8_t *frame = kmap_local_page_ro(aim.page);
    aim_at(&aim, frame);
    stray_write(STRAY_READ_ONLY, culprit, &aim);
    kunmap_local(frame);
}

// Right before or right behind `length` bytes that are open, whose frames begin
// with `page`.
static void aim_beyond(struct culprit *culprit, struct aim *aim,
                       const uint8_t *open, struct page *page, size_t length)
{
    aim->length = 1 + chaos_random(&culprit->random) % LENGTH_MAX;
    if (chaos_random(&culprit->random) % 2 == 0) {
        aim->address = (uint8_t *)(uintptr_t)open - aim->length;
        aim->page = page - 1;
    } else {
        aim->address = (uint8_t *)(uintptr_t)open + length;
        aim->page = page + length / PAGE_SIZE;
    }
}

static void stray_beyond(struct culprit *culprit)
{
    size_t blocks = chaos.frames / BLOCK_FRAMES;
    size_t block = 1 + chaos_random(&culprit->random) % (blocks - 2);
    struct page *page = chaos.first + block * BLOCK_FRAMES;
    struct aim aim = {0};

    const uint8_t *open = kmap_local_range_ro(page, 0, STORE_BLOCK_SIZE);
    aim_beyond(culprit, &aim, open, page, STORE_BLOCK_SIZE);
    stray_write(STRAY_BEYOND, culprit, &aim);
    kunmap_local(open);
}

static void stray_wrong_frame(struct culprit *culprit)
{
    struct aim aim;
    volatile uint8_t *own = kmap_local_page(culprit->own);

    stray_aim(culprit, &aim);
    stray_write(STRAY_WRONG_FRAME, culprit, &aim);
    *own = 1; // the bracket is good for what it is for
    kunmap_local((const void *)own);
}

// The end of the header's frame is 0, and stays so.
static void stray_memset(struct culprit *culprit)
{
    const struct aim aim = {
        .address = culprit->header + PAGE_SIZE - BORDER,
        .length = LENGTH_MAX,
        .skip = BORDER,
        .page = chaos.first + 1,
    };
    if (culprit->header != NULL) {
        stray_write(STRAY_MEMSET, culprit, &aim);
    }
}

static void stray_long(struct culprit *culprit)
{
    size_t frame = chaos_random(&culprit->random) % LONG_FRAMES;
    struct aim aim;

    if (culprit->reading == NULL) {
        return;
    }
    stray_aim(culprit, &aim);
    aim.page = culprit->read + frame;
    aim_at(&aim, culprit->reading + frame * PAGE_SIZE);
    stray_write(STRAY_LONG, culprit, &aim);
}

// ---------------------------------------------------------- Nobody probes
// these

struct plain {
    volatile uint8_t *to;
    uint8_t value;
};

static __noinline void stray_store_plainly(void *arg)
{
    const struct plain *plain = arg;
    *plain->to = plain->value;
}

static void stray_plain(struct culprit *culprit)
{
    struct aim aim;
    struct fault fault = {0};

    stray_aim(culprit, &aim);
    aim.length = 1;
    struct plain plain = {aim.address, (uint8_t)culprit->random};
    bool through = run_protected(stray_store_plainly, &plain, &fault);
    const char *name = through ? NULL : symbol_find(fault.ip, NULL);
    note(STRAY_PLAIN, &aim, through, &fault,
         name != NULL && strcmp(name, "stray_store_plainly") == 0);
}

// Frames behind the store, so that nothing is lost where it goes through.
static void stray_same_domain(struct culprit *culprit)
{
    size_t block = 1 + chaos_random(&culprit->random) % (SCRATCH_BLOCKS - 2);
    struct page *page = chaos.first + chaos.frames + block * BLOCK_FRAMES;
    struct aim aim = {0};

    uint8_t *open = kmap_local_range(page, 0, STORE_BLOCK_SIZE);
    aim_beyond(culprit, &aim, open, page, STORE_BLOCK_SIZE);
    stray_write(STRAY_SAME_DOMAIN, culprit, &aim);
    kunmap_local(open);
}

// --------------------------------------------------------------------- Threads

static void (*const play[])(struct culprit *) = {
    [STRAY_RANDOM] = stray_random,
    [STRAY_STALE] = stray_stale,
    [STRAY_STALE_LIST] = stray_stale_list,
    [STRAY_STALE_KMAP] = stray_stale_kmap,
    [STRAY_LENT] = stray_lent,
    [STRAY_READ_ONLY] = stray_read_only,
    [STRAY_BEYOND] = stray_beyond,
    [STRAY_WRONG_FRAME] = stray_wrong_frame,
    [STRAY_MEMSET] = stray_memset,
    [STRAY_LONG] = stray_long,
    [STRAY_PLAIN] = stray_plain,
    [STRAY_SAME_DOMAIN] = stray_same_domain,
};

static void long_maps_begin(struct culprit *culprit)
{
    size_t frame =
        chaos_random(&culprit->random) % (chaos.frames - LONG_FRAMES);

    culprit->read = chaos.first + frame;
    culprit->reading = vmap_range(page_to_phys(culprit->read),
                                  LONG_FRAMES * PAGE_SIZE, MAP_READ);
    culprit->header = kmap(chaos.first);
}

static void long_maps_end(struct culprit *culprit)
{
    if (culprit->reading != NULL) {
        vunmap(culprit->reading);
    }
    if (culprit->header != NULL) {
        kunmap(chaos.first);
    }
}

int culprit_run(void *arg)
{
    struct culprit *culprit = arg;

    (void)thread_pin(culprit->number % cpus_online());
    long_maps_begin(culprit);
    for (unsigned i = 1; stray_take(); i++) {
        play[culprit->next](culprit);
        do {
            culprit->next = (culprit->next + 1) % STRAYS;
        } while (play[culprit->next] == NULL);
        if (i % SPREE == 0) {
            thread_yield();
        }
    }
    long_maps_end(culprit);
    return 0;
}
