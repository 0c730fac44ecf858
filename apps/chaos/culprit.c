// SPDX-License-Identifier: MIT
//
// Stray writes of threads, by kind, and the threads. A plain store is caught,
// all others are probed.
#include "apps/chaos/chaos.h"
#include "kernel/symbols.h"

#define LIST_FRAMES 4
#define LONG_FRAMES 16
#define BORDER 32 // bytes of the header's frame that stay 0
#define STALE_USES 32
#define SPREE 16 // strays, before others have their turn

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
    aim->length = 1 + chaos_random(&culprit->random) % STRAY_LENGTH_MAX;
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
        .length = STRAY_LENGTH_MAX,
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
    stray_note(STRAY_PLAIN, &aim, through, &fault,
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
