// SPDX-License-Identifier: MIT
//
// The list of watches, and how one begins and ends. A watch is known, and new
// mappings look at it, before the other CPUs are parked; what is mapped by then
// is closed while they are. So whatever maps a watched frame is closed by one
// or by the other.
#include "mm/watch.h"

#include "arch/cpu.h"
#include "arch/pks.h"
#include "mm/context.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frames.h"
#include "mm/keys.h"
#include "mm/lock.h"
#include "mm/pt_window.h"
#include "mm/section.h"
#include "mm/watch_internal.h"

uint32_t watches_on;

static struct watch watches[WATCHES_MAX];

// There are none from this one on. Stored before a watch is, and before its
// frames are marked: who finds a mark finds the watch.
static unsigned watches_end;

static unsigned end_read(void)
{
    return __atomic_load_n(&watches_end, __ATOMIC_ACQUIRE);
}

static bool watch_has(const struct watch *watch, const struct page *page)
{
    const struct page *first = __atomic_load_n(&watch->first, __ATOMIC_ACQUIRE);
    return first != NULL && (size_t)(page - first) < watch->count;
}

struct watch *watch_of(const struct page *page)
{
    if (!(page->private_state & FRAME_WATCHED)) {
        return NULL;
    }
    unsigned end = end_read();
    for (unsigned i = 0; i < end; i++) {
        if (watch_has(&watches[i], page)) {
            return &watches[i];
        }
    }
    return NULL;
}

const struct watch *watch_find(const struct page *page, size_t count)
{
    const struct watch *watch = NULL;
    for (size_t i = 0; watches_on != 0 && watch == NULL && i < count; i++) {
        watch = watch_of(page + i);
    }
    return watch;
}

const struct watch *watch_next(const struct watch *watch)
{
    unsigned i = watch == NULL ? 0 : watch - watches + 1;
    unsigned end = end_read();
    while (i < end && watches[i].first == NULL) {
        i++;
    }
    return i < end ? &watches[i] : NULL;
}

// ------------------------------------------------------------ A key of its own

// Domains that had the keys of watches which are over, while an open bracket
// still has one of these keys open.
static struct domain *lingering[WATCHES_MAX];
static unsigned lingerers;

// Whether an open bracket anywhere has a key open. Other CPUs parked.
static bool key_is_open(unsigned key)
{
    struct bracket_walk walk = {0};
    const struct bracket *bracket;
    while ((bracket = bracket_walk_on(&walk)) != NULL) {
        if (!(bracket->rights & PKRS_AD(key))) {
            return true;
        }
    }
    return false;
}

// Give back the keys that nobody has open any more.
static void keys_give_back_locked(void)
{
    for (unsigned i = 0; lingerers != 0 && i < WATCHES_MAX; i++) {
        struct domain *domain = lingering[i];
        if (domain == NULL) {
            continue;
        }
        tlb_park();
        bool open = key_is_open(domain->key);
        tlb_release(NULL);
        if (!open) {
            lingering[i] = NULL;
            lingerers--;
            domain->pins = 0;
            domain_destroy_locked(domain);
        }
    }
}

static void key_linger_locked(struct domain *domain)
{
    unsigned i = 0;
    while (i < WATCHES_MAX - 1 && lingering[i] != NULL) {
        i++;
    }
    lingering[i] = domain; // there are no more than watches
    lingerers++;
}

// NULL: the engine has no keys, none can be had, or none is wanted: what is
// frozen stays readable as it was.
static struct domain *own_make_locked(const struct watch_order *order)
{
    if (!engine->counts_pkrs || order->frozen) {
        return NULL;
    }
    struct domain *domain = domain_create_locked("watched");
    if (domain == NULL) {
        return NULL;
    }
    if (!key_get_locked(domain)) {
        domain_destroy_locked(domain);
        return NULL;
    }
    domain->pins = 1;
    return domain;
}

// ------------------------------------------------------------- Begin and end

static int frames_check(const struct watch_order *order)
{
    const struct page *first = order->first;
    for (size_t i = 0; i < order->count; i++) {
        const struct page *page = first + i;
        // Blocks end where their memory does: what an allocated frame's block
        // has in a row is there, and the next one is looked at.
        bool known = i != 0 && !IS_ALIGNED(page_direct_address(page),
                                           PAGE_SIZE << page[-1].private_order);
        if ((!known && !section_is_ready(page_to_phys(page))) ||
            !(page->private_state & FRAME_ALLOCATED) ||
            page->private_domain != first->private_domain ||
            (i == 0 && page_domain(first) == NULL)) {
            return -EINVAL;
        }
        if (page->private_state & FRAME_WATCHED) {
            return -EEXIST;
        }
    }
    return order->count != 0 ? 0 : -EINVAL;
}

static struct watch *watch_free_locked(void)
{
    for (unsigned i = 0; i < WATCHES_MAX; i++) {
        if (watches[i].first == NULL) {
            return &watches[i];
        }
    }
    return NULL;
}

bool watch_has_domain(const struct domain *domain)
{
    const struct watch *watch = NULL;
    while ((watch = watch_next(watch)) != NULL) {
        if (page_domain(watch->first) == domain) {
            return true;
        }
    }
    return false;
}

static void frames_mark(const struct watch *watch, bool watched)
{
    for (size_t i = 0; i < watch->count; i++) {
        uint8_t state = watch->first[i].private_state;
        watch->first[i].private_state =
            watched ? state | FRAME_WATCHED : state & ~FRAME_WATCHED;
    }
}

// Close, or open again, whatever maps the frames. True: a map call that is
// under way may not have got its leaf yet.
static bool leaves_change_locked(const struct watch *watch, bool begin)
{
    struct tlb_batch batch;
    batch.count = 0;
    tlb_park();
    frames_mark(watch, begin);
    uint32_t rights = window_open(WINDOW_WRITE);
    bool half = watch_leaves_locked(watch, begin, &batch);
    window_close(rights);
    tlb_release(&batch);
    return half;
}

static int begin_locked(const struct watch_order *order, bool *half)
{
    int error = frames_check(order);
    struct watch *watch = watch_free_locked();
    if (error == 0 && watch == NULL) {
        error = -ENOSPC;
    }
    if (error == 0) {
        error = watch_cut_locked(order->first, order->count);
    }
    if (error != 0) {
        return error;
    }
    keys_give_back_locked();
    *watch = (struct watch){
        .count = order->count,
        .access = order->access,
        .mode = order->mode,
        .frozen = order->frozen,
        .site = order->site,
        .thread = percpu.thread,
        .time = cpu_read_tsc(),
        .context = mm_context_of_thread(),
        .own = own_make_locked(order),
    };
    unsigned end = MAX(watches_end, (unsigned)(watch - watches) + 1);
    __atomic_store_n(&watches_end, end, __ATOMIC_RELEASE);
    __atomic_store_n(&watch->first, order->first, __ATOMIC_RELEASE);
    frames_mark(watch, true);
    watches_on++;
    vmap_watch_locked(true);
    if (engine->watch_domain_locked != NULL) {
        engine->watch_domain_locked(page_domain(order->first), true);
    }
    *half = leaves_change_locked(watch, true);
    return 0;
}

int watch_begin(const struct watch_order *order, bool *half)
{
    *half = false;
    uint64_t lock = mm_lock();
    int error = begin_locked(order, half);
    mm_unlock(lock);
    return error;
}

bool watch_again(const struct page *first)
{
    uint64_t lock = mm_lock();
    const struct watch *watch = watch_of(first);
    bool half = watch != NULL && leaves_change_locked(watch, true);
    mm_unlock(lock);
    return half;
}

static int end_locked(struct watch *watch)
{
    struct domain *domain = page_domain(watch->first);
    leaves_change_locked(watch, false);
    __atomic_store_n(&watch->first, NULL, __ATOMIC_RELEASE);
    while (watches_end > 0 && watches[watches_end - 1].first == NULL) {
        __atomic_store_n(&watches_end, watches_end - 1, __ATOMIC_RELEASE);
    }
    watches_on--;
    vmap_watch_locked(watches_on != 0);
    if (engine->watch_domain_locked != NULL && !watch_has_domain(domain)) {
        engine->watch_domain_locked(domain, false);
    }
    if (watch->own != NULL) {
        key_linger_locked(watch->own);
        keys_give_back_locked();
    }
    return (int)watch->hits;
}

int watch_end(const struct page *first, size_t count, bool frozen)
{
    uint64_t lock = mm_lock();
    struct watch *watch = watch_of(first);
    int result = -ENOENT;
    if (watch != NULL && watch->first == first && watch->count == count &&
        watch->frozen == frozen) {
        result = end_locked(watch);
    }
    mm_unlock(lock);
    return result;
}

void watch_forget_context_locked(const struct mm_context *context)
{
    for (unsigned i = 0; watches_on != 0 && i < watches_end; i++) {
        if (watches[i].context == context) {
            watches[i].context = NULL;
        }
    }
}
