// SPDX-License-Identifier: MIT
//
// The store's own code at work on image files, for tests that compare it with
// another reader or writer of the format:
//
//     store_files write FILE SEED BLOCKS COMMITS   say what was done, line by
//     line store_files example FILE                     the store of the
//     format's page store_files dump FILE SNAPSHOT               print all
//     items; 0: the head store_files check FILE                       print
//     what is wrong, and counts
//
// Exit status: 0, or 1: damage, 2: not a store, 3: anything else. What dump
// prints is what tools/store-check --dump does.

#include "tests/host/store_help.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_PER_COMMIT 40

static void die(const char *what, int error)
{
    fprintf(stderr, "store_files: %s: error %d\n", what, error);
    exit(3);
}

static void print_key(const struct store_key *key)
{
    printf("%016" PRIx64 " %02x %016" PRIx64 " ", key->object, key->type,
           key->offset);
}

static void print_item(const struct store_key *key, const uint8_t *value,
                       size_t size)
{
    print_key(key);
    for (size_t i = 0; i < size; i++) {
        printf("%02x", value[i]);
    }
    printf("\n");
}

// ------------------------------------------------------------------- Files

static void save(const struct medium *medium, const char *path)
{
    size_t bytes = medium_bytes(medium);
    uint8_t *copy = malloc(bytes);
    FILE *file = fopen(path, "wb");

    medium_read(medium, 0, copy, bytes);
    if (file == NULL || fwrite(copy, 1, bytes, file) != bytes ||
        fclose(file) != 0) {
        die(path, EIO);
    }
    free(copy);
}

static struct medium *load(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        die(path, ENOENT);
    }
    size_t bytes = (size_t)ftell(file);
    uint8_t *copy = malloc(bytes);
    rewind(file);
    if (fread(copy, 1, bytes, file) != bytes) {
        die(path, EIO);
    }
    fclose(file);
    struct medium *medium =
        medium_create((bytes + PAGE_SIZE - 1) & -(size_t)PAGE_SIZE);
    medium_write(medium, 0, copy, bytes);
    free(copy);
    return medium;
}

// ----------------------------------------------------------------- Writing

static uint64_t below(uint64_t *state, uint64_t limit)
{
    return store_help_random(state) % limit;
}

// Few keys, so that many are replaced and deleted; the extremes of each field.
static struct store_key random_key(uint64_t *state)
{
    static const uint8_t types[] = {0, 1, 128, 255};
    struct store_key key = {.object = below(state, 50),
                            .offset = below(state, 9),
                            .type = types[below(state, 4)]};

    if (key.offset == 8) {
        key.offset = UINT64_MAX;
    }
    if (key.object == 49) {
        key.object = UINT64_MAX - 1;
    }
    return key;
}

static size_t random_size(uint64_t *state)
{
    static const size_t sizes[] = {0, 1, 100, 100, 100, STORE_VALUE_MAX};
    uint64_t pick = below(state, 60);

    return pick < 6 ? sizes[pick] : below(state, pick == 6 ? 8001 : 200);
}

// What the transaction does is printed as it is done.
static void change(struct store_tx *tx, uint64_t *state)
{
    struct store_key key = random_key(state);
    static uint8_t value[STORE_VALUE_MAX];
    size_t size = random_size(state);
    bool deletes = below(state, 5) == 0;

    if (deletes) {
        int error = store_tx_del(tx, &key);
        if (error == 0) {
            printf("del ");
            print_key(&key);
            printf("\n");
        } else if (error != -ENOENT && error != -ENOSPC) {
            die("del", error);
        }
        return;
    }
    store_help_fill(value, size, store_help_random(state));
    int error = store_tx_put(tx, &key, value, size);
    if (error == 0) {
        printf("put ");
        print_item(&key, value, size);
    } else if (error != -ENOSPC) {
        die("put", error);
    }
}

static void snapshots(struct store *store, uint64_t *state, unsigned commit)
{
    static uint64_t ids[2];
    char name[STORE_NAME_MAX + 1];
    unsigned turn = commit % 2;

    if (below(state, 4) != 0) {
        return;
    }
    if (ids[turn] != 0) {
        int error = store_snapshot_drop(store, ids[turn]);
        if (error != 0) {
            die("drop", error);
        }
        printf("drop %" PRIu64 "\n", ids[turn]);
        ids[turn] = 0;
    }
    snprintf(name, sizeof(name), "after %u", commit);
    int error = store_snapshot_take(store, name, &ids[turn]);
    if (error == 0) {
        printf("take %" PRIu64 " %s\n", ids[turn], name);
    } else if (error != -ENOSPC) {
        die("take", error);
    }
}

static void write_image(const char *path, uint64_t seed, unsigned blocks,
                        unsigned commits)
{
    struct store_help help;
    uint64_t state = seed;

    store_help_make(&help, blocks, 0);
    for (unsigned commit = 0; commit < commits; commit++) {
        struct store_tx *tx;
        int error = store_begin(help.store, &tx);
        if (error != 0) {
            die("begin", error);
        }
        for (unsigned i = below(&state, KEYS_PER_COMMIT); i > 0; i--) {
            change(tx, &state);
        }
        if (below(&state, 6) == 0) {
            store_abort(tx);
            printf("abort\n");
        } else {
            error = store_commit(tx);
            if (error != 0 && error != -ENOSPC) {
                die("commit", error);
            }
            printf(error == 0 ? "commit\n" : "abort\n");
        }
        snapshots(help.store, &state, commit);
    }
    save(help.medium, path);
    store_help_end(&help);
}

static void put_text(struct store *store, uint64_t object, uint8_t type,
                     uint64_t offset, const char *text)
{
    struct store_key key = {.object = object, .offset = offset, .type = type};
    int error = store_put(store, &key, text, strlen(text));

    if (error != 0) {
        die("put", error);
    }
}

static void write_example(const char *path)
{
    struct store_help help;
    uint64_t id;

    store_help_make(&help, STORE_BLOCKS_MIN, 0);
    put_text(help.store, 1, 2, 0x1000, "hello");
    if (store_snapshot_take(help.store, "first", &id) != 0) {
        die("take", EIO);
    }
    put_text(help.store, 1, 3, 0, "world");
    save(help.medium, path);
    store_help_end(&help);
}

// ----------------------------------------------------------------- Reading

static int mount_image(const char *path, struct store_help *help)
{
    struct store_problem problem;

    help->medium = load(path);
    int error =
        store_mount(medium_pages(help->medium), medium_bytes(help->medium), 0,
                    &help->store, &problem);
    if (error != 0 || problem.error != 0) {
        printf("mount: block %" PRIu64 ": %s\n", problem.block, problem.text);
    }
    return error;
}

static int status_of(int error)
{
    switch (error) {
    case 0:
        return 0;
    case -EUCLEAN:
        return 1;
    case -ENODEV:
    case -EOPNOTSUPP:
        return 2;
    default:
        return 3;
    }
}

static int print_one(void *arg, const struct store_key *key, const void *value,
                     size_t size)
{
    (void)arg;
    print_item(key, value, size);
    return 0;
}

static int dump(const char *path, uint64_t snapshot)
{
    static const struct store_key last = {UINT64_MAX - 1, UINT64_MAX, 255};
    struct store_key first = {0, 0, 0};
    struct store_help help;
    struct store_view view;
    int error = mount_image(path, &help);

    if (error != 0) {
        return status_of(error);
    }
    error = store_view_begin(help.store, snapshot, &view);
    if (error == 0) {
        error = store_view_scan(&view, &first, &last, print_one, NULL);
        store_view_end(&view);
    }
    store_help_end(&help);
    return status_of(error);
}

static void report(void *arg, const struct store_problem *problem)
{
    (void)arg;
    printf("check: block %" PRIu64 ": %s\n", problem->block, problem->text);
}

static int check(const char *path)
{
    struct store_check found;
    struct store_stats stats;
    struct store_help help;
    int error = mount_image(path, &help);

    if (error != 0) {
        return status_of(error);
    }
    error = store_check(help.store, &found, report, NULL);
    store_stats(help.store, &stats);
    printf("generation %" PRIu64 " items %" PRIu64 " snapshots %" PRIu64
           " used %" PRIu64 " mounted %" PRIu64 " height %u\n",
           stats.generation, found.items, found.snapshots, found.used,
           stats.used, stats.height);
    store_help_end(&help);
    return status_of(error);
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "write") == 0) {
        write_image(argv[2], strtoull(argv[3], NULL, 0),
                    (unsigned)strtoul(argv[4], NULL, 0),
                    (unsigned)strtoul(argv[5], NULL, 0));
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "example") == 0) {
        write_example(argv[2]);
        return 0;
    }
    if (argc == 4 && strcmp(argv[1], "dump") == 0) {
        return dump(argv[2], strtoull(argv[3], NULL, 0));
    }
    if (argc == 3 && strcmp(argv[1], "check") == 0) {
        return check(argv[2]);
    }
    fprintf(stderr, "store_files: write FILE SEED BLOCKS COMMITS, example "
                    "FILE, dump FILE SNAPSHOT, or check FILE\n");
    return 3;
}
