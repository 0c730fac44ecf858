// SPDX-License-Identifier: MIT
//
// One stray write. It is probed, so that the run goes on; what the fault says
// of it is compared with what was done.
#include "apps/chaos/chaos.h"

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

void stray_note(enum stray kind, const struct aim *aim, bool through,
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
        .length = 1 + chaos_random(&culprit->random) % STRAY_LENGTH_MAX,
        .page = page,
    };
}

void stray_write(enum stray kind, struct culprit *culprit,
                 const struct aim *aim)
{
    uint64_t bytes[STRAY_LENGTH_MAX / sizeof(uint64_t)];
    struct fault fault;

    for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
        bytes[i] = chaos_random(&culprit->random);
    }
    if (aim->skip != 0) {
        memset(bytes, 0, aim->skip);
    }
    bool through = probe_write(aim->address, bytes, aim->length, &fault);
    stray_note(kind, aim, through, &fault, true);
}
