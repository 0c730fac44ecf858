// SPDX-License-Identifier: MIT
//
// Views: who reads, and what must stay as it is for him. A view writes the
// generation that it may see into a slot of its own; the writer looks at all
// slots before it uses a block again.
#include "apps/store/search.h"

// Read words of the current state, `first` to `end` (not included), and the
// generation that they are of. The writer overwrites a state STORE_RING commits
// later; then this looks again.
static inline void read_words(const struct store *store, size_t first,
                              size_t end, uint64_t *to)
{
    uint64_t generation = __atomic_load_n(&store->current, __ATOMIC_SEQ_CST);

    for (;;) {
        const uint64_t *from =
            (const uint64_t *)&store->ring[generation % STORE_RING];
        for (size_t i = first; i < end; i++) {
            to[i - first] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
        }
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        uint64_t now = __atomic_load_n(&store->current, __ATOMIC_RELAXED);
        if (likely(now - generation < STORE_RING - 1)) {
            return;
        }
        generation = now;
    }
}

#define ROOT_FIRST (offsetof(struct store_state, root) / sizeof(uint64_t))
#define ROOT_END (ROOT_FIRST + sizeof(struct store_ref) / sizeof(uint64_t))

_Static_assert(sizeof(struct store_ref) == 16, "words");
_Static_assert(sizeof(struct store_state) % sizeof(uint64_t) == 0, "words");

void store_state_read(const struct store *store, struct store_state *state)
{
    read_words(store, 0, sizeof(*state) / sizeof(uint64_t), (uint64_t *)state);
}

// A free slot, with a generation in it that was current. The view's own is read
// afterwards, and may be newer. The writer makes a generation current and then
// looks at the slots: either it saw this one, or the view sees what it made
// current (verify/views.pml). Threads begin to look in different places, by
// their stacks.
static int take_slot(struct store *store, const void *stack)
{
    uint32_t at = (uint32_t)((uintptr_t)stack / PAGE_SIZE) % STORE_VIEWS;

    for (uint32_t i = 0; i < STORE_VIEWS; i++) {
        uint32_t slot = (at + i) % STORE_VIEWS;
        uint64_t *word = &store->views[slot].generation;
        uint64_t now = __atomic_load_n(&store->current, __ATOMIC_RELAXED);
        uint64_t free = 0;
        if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(word, &free, now, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
            return (int)slot;
        }
    }
    return -EBUSY;
}

// The root and the generation of a snapshot, from its record in the head.
static int find_snapshot(struct store *store, const struct store_ref *head,
                         uint64_t id, struct store_ref *root)
{
    const struct store_key key = {STORE_OWN_OBJECT, id, STORE_OWN_SNAPSHOT};
    struct store_snapshot_record record;
    size_t size;
    int result = store_tree_get(store, head, NULL, 0, &key, &record,
                                sizeof(record), &size);

    if (result == 0 && !store_snapshot_parse(store, &record, size, &record)) {
        result = -EUCLEAN;
    }
    if (result == 0) {
        store_snapshot_root(&record, root);
    }
    return result == -ERANGE ? -EUCLEAN : result;
}

int store_view_begin(struct store *store, uint64_t snapshot,
                     struct store_view *view)
{
    struct store_ref head, *root = &head;
    int slot = take_slot(store, view);
    int result = 0;

    if (slot < 0) {
        return slot;
    }
    read_words(store, ROOT_FIRST, ROOT_END, (uint64_t *)root);
    if (snapshot != 0) {
        result = find_snapshot(store, root, snapshot, root);
    }
    const struct store_node *top = NULL;
    if (result == 0 && root->block != 0) {
        top = node_open(store, root, 0);
        result = top == NULL ? -EUCLEAN : 0;
    }
    if (result != 0) {
        __atomic_store_n(&store->views[slot].generation, 0, __ATOMIC_RELEASE);
        return result;
    }
    *view = (struct store_view){
        .private_store = store,
        .private_root = top,
        .private_generation = root->generation,
        .private_block = root->block,
        .private_level = root->level,
        .private_slot = (uint32_t)slot,
    };
    return 0;
}

void store_view_end(struct store_view *view)
{
    struct store *store = view->private_store;

    if (view->private_root != NULL) {
        node_close(store, view->private_root);
    }
    __atomic_store_n(&store->views[view->private_slot].generation, 0,
                     __ATOMIC_RELEASE);
}

static inline struct store_ref view_root(const struct store_view *view)
{
    return (struct store_ref){view->private_generation, view->private_block,
                              view->private_level};
}

int store_view_get(struct store_view *view, const struct store_key *key,
                   void *value, size_t room, size_t *size)
{
    struct store_ref root = view_root(view);

    if (key_is_own(key)) {
        return -EINVAL;
    }
    return store_tree_get(view->private_store, &root, view->private_root, 0,
                          key, value, room, size);
}

int store_view_scan(struct store_view *view, const struct store_key *from,
                    const struct store_key *to, store_scan_fn *fn, void *arg)
{
    struct store_ref root = view_root(view);
    struct store_key last = *to;

    if (key_is_own(&last)) {
        last = (struct store_key){STORE_OWN_OBJECT - 1, UINT64_MAX, UINT8_MAX};
    }
    return store_tree_scan(view->private_store, &root, view->private_root, 0,
                           from, &last, fn, arg);
}

int store_get(struct store *store, const struct store_key *key, void *value,
              size_t room, size_t *size)
{
    struct store_view view;
    int result = store_view_begin(store, 0, &view);

    if (result != 0) {
        return result;
    }
    result = store_view_get(&view, key, value, room, size);
    store_view_end(&view);
    return result;
}
