// SPDX-License-Identifier: MIT
//
// Opening and closing a store. What is on the medium is enough to find all of
// it: the selector names the superblock, that names the head, and the head has
// the snapshots' records.
#include "apps/store/crc32c.h"
#include "apps/store/search.h"

#define FLAGS                                                                  \
    (STORE_VERIFY_ALWAYS | STORE_READ_ONLY | STORE_RECHECK | STORE_READ_MAPPED)

// All of them: two that write to one memory would take each other's blocks.
static struct mutex mounted_lock = MUTEX("mounted stores");
static struct store *mounted;

static int say(struct store_problem *problem, int error, uint64_t block,
               const char *text)
{
    *problem = (struct store_problem){error, block, text};
    return error;
}

// ------------------------------------------------------------------- Block 0

static int look_at_header(struct store *store,
                          const struct store_header *header, uint64_t bytes,
                          struct store_problem *problem)
{
    if (header->magic != STORE_MAGIC) {
        return say(problem, -ENODEV, 0,
                   store_part_is_zero(header, 0)
                       ? "there is nothing; format it"
                       : "there is something, but no store");
    }
    if (header->crc != crc32c_rest(header, STORE_PART_SIZE)) {
        return say(problem, -EUCLEAN, 0,
                   header->version == STORE_VERSION
                       ? "the header's checksum is wrong; restore a copy"
                       : "the header's checksum is wrong, and its version "
                         "another; use the program that made it, or restore a "
                         "copy");
    }
    if (header->version != STORE_VERSION ||
        header->block_size != STORE_BLOCK_SIZE) {
        return say(problem, -EOPNOTSUPP, 0,
                   "a store of another version or block size; use the "
                   "program that made it");
    }
    if (header->blocks < STORE_BLOCKS_MIN || header->blocks > UINT32_MAX ||
        header->zero != 0 || !store_part_is_zero(header, sizeof(*header))) {
        return say(problem, -EUCLEAN, 0, "the header says what cannot be");
    }
    if (header->blocks > bytes / STORE_BLOCK_SIZE) {
        return say(problem, -EUCLEAN, 0,
                   "the store is larger than the memory it is in; was it cut "
                   "short?");
    }
    store->blocks = header->blocks;
    memcpy(store->uuid, header->uuid, STORE_UUID_SIZE);
    return 0;
}

static int read_header(struct store *store, uint64_t bytes,
                       struct store_problem *problem)
{
    if (bytes < (uint64_t)STORE_BLOCKS_MIN * STORE_BLOCK_SIZE) {
        return say(problem, -ENODEV, 0, "too small for a store");
    }
    const struct store_header *header =
        kmap_local_range_ro(store->first, STORE_HEADER_AT, STORE_PART_SIZE);
    int result = look_at_header(store, header, bytes, problem);
    kunmap_local(header);
    return result;
}

static void state_from(const struct store_superblock *superblock,
                       struct store_state *state)
{
    *state = (struct store_state){
        .generation = superblock->generation,
        .root = {superblock->root_generation, (uint32_t)superblock->root,
                 superblock->level},
        .items = superblock->items,
        .next_snapshot = superblock->next_snapshot,
        .snapshots = superblock->snapshots,
    };
}

static int read_superblocks(struct store *store, struct store_state *state,
                            struct store_problem *problem)
{
    const struct store_superblock *superblock;
    uint64_t generation;

    const uint64_t *selector = kmap_local_range_ro(
        part_page(store, STORE_SELECTOR_AT), 0, STORE_PART_SIZE);
    bool good = store_selector_parse(*selector, &generation);
    kunmap_local(selector);
    if (!good) {
        return say(problem, -EUCLEAN, 0,
                   "the selector is damaged; tools/store-check --select can "
                   "write another");
    }
    superblock = kmap_local_range_ro(
        part_page(store, STORE_SLOT_AT + generation % 2 * STORE_PART_SIZE), 0,
        STORE_PART_SIZE);
    const char *text = store_superblock_verify(store, superblock, generation);
    state_from(superblock, state);
    kunmap_local(superblock);
    return text == NULL ? 0 : say(problem, -EUCLEAN, 0, text);
}

// ---------------------------------------------------------------- Free blocks

// Whoever comes to a block a second time has been below it.
static bool mark_used(struct store_walk *walk, const struct store_ref *ref)
{
    struct store *store = walk->store;

    if (bits_get(store->used, ref->block)) {
        return false;
    }
    bits_set(store->used, ref->block);
    store->used_count++;
    return true;
}

struct found {
    struct store_walk *walk;
    const struct store_state *state;
    uint64_t newest, snapshots;
};

static int walk_snapshot(void *arg, const struct store_key *key,
                         const void *value, size_t size)
{
    struct found *found = arg;
    struct store_snapshot_record record;
    struct store_ref root;

    // What frees blocks relies on the order.
    if (!store_snapshot_parse(found->walk->store, value, size, &record) ||
        key->offset == 0 || key->offset >= found->state->next_snapshot ||
        record.generation <= found->newest ||
        record.generation >= found->state->generation) {
        return -EUCLEAN;
    }
    found->newest = record.generation;
    found->snapshots++;
    store_snapshot_root(&record, &root);
    store_walk_tree(found->walk, &root);
    return 0;
}

// -EUCLEAN: some blocks that are used may not have been found.
static int find_used(struct store *store, struct store_state *state,
                     struct store_problem *problem)
{
    struct store_walk walk = {.store = store, .visit = mark_used};
    struct found found = {.walk = &walk, .state = state};

    bits_set(store->used, 0);
    store->used_count = 1;
    store_walk_tree(&walk, &state->root);
    int result = walk.problem.error;
    if (result == 0) {
        result =
            store_snapshot_scan(store, &state->root, 0, walk_snapshot, &found);
    }
    state->newest = found.newest;
    if (result == 0 && found.snapshots != state->snapshots) {
        result = -EUCLEAN;
    }
    if (walk.problem.error != 0) {
        *problem = walk.problem;
        return -EUCLEAN;
    }
    if (result != 0) {
        return say(problem, -EUCLEAN, state->root.block,
                   "the records of snapshots are damaged, or not as many as "
                   "there should be; check says more");
    }
    return 0;
}

// ----------------------------------------------------------------------- Mount

static bool is_mounted_locked(const struct page *first, uint64_t bytes)
{
    for (const struct store *one = mounted; one != NULL;
         one = one->next_mounted) {
        if (first < one->first + one->bytes / PAGE_SIZE &&
            one->first < first + bytes / PAGE_SIZE) {
            return true;
        }
    }
    return false;
}

bool store_is_mounted(const struct page *first, uint64_t bytes)
{
    mutex_lock(&mounted_lock);
    bool found = is_mounted_locked(first, bytes);
    mutex_unlock(&mounted_lock);
    return found;
}

// False: another store has some of its memory.
static bool claim(struct store *store)
{
    mutex_lock(&mounted_lock);
    bool free = !is_mounted_locked(store->first, store->bytes);
    if (free) {
        store->next_mounted = mounted;
        mounted = store;
    }
    mutex_unlock(&mounted_lock);
    return free;
}

static void disclaim(struct store *store)
{
    mutex_lock(&mounted_lock);
    struct store **link = &mounted;
    while (*link != store) {
        link = &(*link)->next_mounted;
    }
    *link = store->next_mounted;
    mutex_unlock(&mounted_lock);
}

static void forget(struct store *store)
{
    while (store->batches != NULL) {
        struct store_batch *batch = store->batches;
        store->batches = batch->next;
        kfree(batch);
    }
    if (store->mapped != NULL) {
        vunmap(store->mapped);
    }
    kfree(store->tx.records);
    kfree(store->views);
    kfree(store->used);
    kfree(store->verified);
    kfree(store->marks);
    kfree(store->scratch);
    kfree(store);
}

static int allocate(struct store *store, struct store_problem *problem)
{
    size_t bits = bits_size(store->blocks);

    store->views = kzalloc(STORE_VIEWS * sizeof(*store->views));
    store->used = kzalloc(bits);
    store->verified = kzalloc(bits);
    store->marks = kzalloc(bits);
    store->scratch = kmalloc(STORE_BLOCK_SIZE);
    if (store->views == NULL || store->used == NULL ||
        store->verified == NULL || store->marks == NULL ||
        store->scratch == NULL) {
        return say(problem, -ENOMEM, 0, "out of memory");
    }
    if (store->flags & STORE_READ_MAPPED) {
        store->mapped = vmap_range(page_to_phys(store->first),
                                   store->blocks * STORE_BLOCK_SIZE, MAP_READ);
        if (store->mapped == NULL) {
            return say(problem, -ENOMEM, 0, "no room to map the store");
        }
    }
    return 0;
}

static int open_store(struct store *store, uint64_t bytes,
                      struct store_problem *problem)
{
    struct store_state state;
    int result = read_header(store, bytes, problem);

    if (result == 0) {
        result = read_superblocks(store, &state, problem);
    }
    if (result == 0) {
        result = allocate(store, problem);
    }
    if (result != 0) {
        return result;
    }
    store->read_only = store->flags & STORE_READ_ONLY;
    if (find_used(store, &state, problem) != 0) {
        store->read_only = true;
    }
    store->cursor = 1;
    store->ring[state.generation % STORE_RING] = state;
    store->current = state.generation;
    mutex_init(&store->writer, "store");
    return 0;
}

int store_mount(struct page *first, uint64_t bytes, unsigned flags,
                struct store **out, struct store_problem *problem)
{
    struct store_problem unheard;

    problem = problem == NULL ? &unheard : problem;
    *problem = (struct store_problem){0, 0, NULL};
    if (flags & ~FLAGS) {
        return say(problem, -EINVAL, 0, "unknown flags");
    }
    struct store *store = kzalloc(sizeof(*store));
    if (store == NULL) {
        return say(problem, -ENOMEM, 0, "out of memory");
    }
    store->first = first;
    store->bytes = bytes;
    store->flags = flags;
    if (!claim(store)) {
        kfree(store);
        return say(problem, -EBUSY, 0, "it is mounted already");
    }
    int result = open_store(store, bytes, problem);
    if (result != 0) {
        disclaim(store);
        forget(store);
        return result;
    }
    *out = store;
    return 0;
}

int store_unmount(struct store *store)
{
    if (!mutex_trylock(&store->writer)) {
        return -EBUSY;
    }
    for (unsigned i = 0; i < STORE_VIEWS; i++) {
        if (__atomic_load_n(&store->views[i].generation, __ATOMIC_SEQ_CST) !=
            0) {
            mutex_unlock(&store->writer);
            return -EBUSY;
        }
    }
    mutex_unlock(&store->writer);
    disclaim(store);
    forget(store);
    return 0;
}
