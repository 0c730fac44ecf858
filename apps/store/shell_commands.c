// SPDX-License-Identifier: MIT
//
// The shell's commands for the store in pmem0, which is mounted when the first
// of them needs it. Keys are typed OBJECT[,TYPE[,OFFSET]], values are words.
#include "apps/store/shell.h"

#include "arch/cpu.h"
#include "kernel/lineedit.h"
#include "kernel/shell_command.h"
#include "lib/types.h"

#define NAME_OF_HEAD "-"
#define SCANNED_MAX 20

static void command_format(int argc, char **argv)
{
    bool force = argc > 1 && strcmp(argv[1], "force") == 0;
    const struct pmem_region *region = store_region();
    if (argc > 1 && !force) {
        shell_error("%s: want force, or nothing", argv[1]);
        return;
    }
    if (region == NULL) {
        return;
    }
    if (store_shell_unmount() != 0) {
        store_say_error("format", -EBUSY);
        return;
    }
    uint64_t uuid[] = {cpu_read_tsc() * 0x9e3779b97f4a7c15, region->base};
    _Static_assert(sizeof(uuid) == STORE_UUID_SIZE, "a UUID");
    int result = store_format(region->first, region->length,
                              (const uint8_t *)uuid, force);
    if (result == -EEXIST) {
        shell_error("%s is not empty; format force destroys what is there",
                    domain_name(region->domain));
    } else if (result != 0) {
        store_say_error("format", result);
    } else {
        printf("an empty store in %s\n", domain_name(region->domain));
    }
}

static void command_put(int argc, char **argv)
{
    static char value[LINEEDIT_MAX];
    struct store_key key;
    size_t size = 0;
    struct store *store = store_here();
    if (store == NULL || !store_key_parse(argv[1], &store_key_lowest, &key)) {
        return;
    }
    for (int i = 2; i < argc; i++) {
        size_t length = strlen(argv[i]);
        if (i > 2) {
            value[size++] = ' ';
        }
        memcpy(value + size, argv[i], length); // a line has no more
        size += length;
    }
    int result = store_put(store, &key, value, size);
    if (result != 0) {
        store_say_error("put", result);
    }
}

// A view of the head, or of the snapshot that was named. False: none, and that
// was said.
static bool view_here(struct store *store, const char *name,
                      struct store_view *view)
{
    uint64_t id = 0;
    int result = name == NULL || strcmp(name, NAME_OF_HEAD) == 0
                     ? 0
                     : store_snapshot_find(store, name, &id);
    if (result == 0) {
        result = store_view_begin(store, id, view);
    }
    if (result != 0) {
        store_say_error(name != NULL ? name : "view", result);
    }
    return result == 0;
}

static void command_get(int argc, char **argv)
{
    static uint8_t value[STORE_VALUE_MAX];
    struct store_key key;
    struct store_view view;
    size_t size;
    struct store *store = store_here();
    if (store == NULL || !store_key_parse(argv[1], &store_key_lowest, &key) ||
        !view_here(store, argc > 2 ? argv[2] : NULL, &view)) {
        return;
    }
    int result = store_view_get(&view, &key, value, sizeof(value), &size);
    store_view_end(&view);
    if (result != 0) {
        store_say_error("get", result);
        return;
    }
    store_value_print(value, size, 0);
}

static void command_del(int argc, char **argv)
{
    (void)argc;
    struct store_key key;
    struct store *store = store_here();
    if (store == NULL || !store_key_parse(argv[1], &store_key_lowest, &key)) {
        return;
    }
    int result = store_del(store, &key);
    if (result != 0) {
        store_say_error("del", result);
    }
}

static int scanned(void *arg, const struct store_key *key, const void *value,
                   size_t size)
{
    uint64_t *count = arg;
    if ((*count)++ < SCANNED_MAX) {
        printf("  ");
        unsigned used = 4 + store_key_print(key);
        printf("  ");
        store_value_print(value, size, used);
    }
    return 0;
}

static void command_scan(int argc, char **argv)
{
    struct store_key from = store_key_lowest, to = store_key_highest;
    struct store_view view;
    struct store *store = store_here();
    if (store == NULL ||
        (argc > 1 && !store_key_parse(argv[1], &store_key_lowest, &from)) ||
        (argc > 2 && !store_key_parse(argv[2], &store_key_highest, &to)) ||
        !view_here(store, argc > 3 ? argv[3] : NULL, &view)) {
        return;
    }
    uint64_t count = 0;
    int result = store_view_scan(&view, &from, &to, scanned, &count);
    store_view_end(&view);
    if (result != 0) {
        store_say_error("scan", result);
    } else if (count > SCANNED_MAX) {
        printf("  and %llu more\n", (unsigned long long)count - SCANNED_MAX);
    } else if (count == 0) {
        printf("  nothing\n");
    }
}

static int snapshot_print(void *arg, const struct store_snapshot *snapshot)
{
    (void)arg;
    printf("  %-20s generation %llu, %llu items\n", snapshot->name,
           (unsigned long long)snapshot->generation,
           (unsigned long long)snapshot->items);
    return 0;
}

static void command_snap(int argc, char **argv)
{
    struct store *store = store_here();
    uint64_t id;
    int result;
    if (store == NULL) {
        return;
    }
    if (argc == 1) {
        result = store_snapshots(store, snapshot_print, NULL);
    } else if (argc == 3 && strcmp(argv[1], "take") == 0) {
        result = store_snapshot_take(store, argv[2], &id);
    } else if (argc == 3 && strcmp(argv[1], "drop") == 0) {
        result = store_snapshot_find(store, argv[2], &id);
        result = result == 0 ? store_snapshot_drop(store, id) : result;
    } else {
        shell_error("%s: want take NAME or drop NAME", argv[1]);
        return;
    }
    if (result != 0) {
        store_say_error("snap", result);
    }
}

static void problem_print(void *arg, const struct store_problem *problem)
{
    (void)arg;
    printf("  block %llu: %s\n", (unsigned long long)problem->block,
           problem->text);
}

static void command_check(int argc, char **argv)
{
    (void)argc, (void)argv;
    struct store_check check;
    struct store *store = store_here();
    if (store == NULL) {
        return;
    }
    int result = store_check(store, &check, problem_print, NULL);
    printf("  %llu blocks read, %llu items, %llu snapshots: ",
           (unsigned long long)check.blocks_read,
           (unsigned long long)check.items,
           (unsigned long long)check.snapshots);
    if (result == 0) {
        printf("clean\n");
    } else {
        printf("%llu problems\n", (unsigned long long)check.damaged);
        store_say_error("check", result);
    }
}

static void command_stats(int argc, char **argv)
{
    (void)argc, (void)argv;
    struct store *store = store_here();
    if (store == NULL) {
        return;
    }
    struct store_stats s;
    store_stats(store, &s);
    printf("  generation   %llu%s\n", (unsigned long long)s.generation,
           s.read_only ? ", read-only" : "");
    printf("  items        %llu in a tree of height %u, %llu snapshots\n",
           (unsigned long long)s.items, s.height,
           (unsigned long long)s.snapshots);
    printf("  blocks       %llu, used: %llu, free: %llu, free once views end: "
           "%llu\n",
           (unsigned long long)s.blocks, (unsigned long long)s.used,
           (unsigned long long)s.free, (unsigned long long)s.pending);
    printf("  since mount  %llu commits, %llu aborts, %llu blocks written,\n"
           "               %llu lines flushed, %llu fences\n",
           (unsigned long long)s.commits, (unsigned long long)s.aborts,
           (unsigned long long)s.blocks_written,
           (unsigned long long)s.lines_flushed, (unsigned long long)s.fences);
    printf("  frozen       %llu writes refused, %llu runs not frozen\n",
           (unsigned long long)s.refused, (unsigned long long)s.unfrozen);
}

static const struct shell_command commands[] = {
    {.name = "format",
     .arguments = "[force]",
     .help = "make a store in pmem0",
     .example = "format",
     .more = "What is there is lost, with `force`.",
     .most = 1,
     .run = command_format},
    {.name = "put",
     .arguments = "KEY [WORD...]",
     .help = "store a value",
     .example = "put 7,1,0 hello world",
     .more = "KEY is OBJECT[,TYPE[,OFFSET]]. A transaction of its own: durable "
             "when the shell asks for the next line.",
     .least = 1,
     .most = UINT8_MAX,
     .run = command_put},
    {.name = "get",
     .arguments = "KEY [SNAPSHOT]",
     .help = "print a value",
     .example = "get 7,1,0",
     .least = 1,
     .most = 2,
     .run = command_get},
    {.name = "del",
     .arguments = "KEY",
     .help = "delete a key",
     .example = "del 7,1,0",
     .least = 1,
     .most = 1,
     .run = command_del},
    {.name = "scan",
     .arguments = "[FROM [TO [SNAPSHOT]]]",
     .help = "keys in order",
     .example = "scan 7 9",
     .more = "The first 20 of them. SNAPSHOT - is what is there now.",
     .most = 3,
     .run = command_scan},
    {.name = "snap",
     .arguments = "[take NAME|drop NAME]",
     .help = "snapshots of the store",
     .example = "snap take before",
     .most = 2,
     .run = command_snap},
    {.name = "check",
     .help = "read and verify the store",
     .example = "check",
     .run = command_check},
    {.name = "stats",
     .help = "the store in numbers",
     .example = "stats",
     .run = command_stats},
    {.name = "bulk",
     .arguments = "N [SIZE [BATCH]]",
     .help = "put N random keys",
     .example = "bulk 10000 100 100",
     .more = "Values of SIZE bytes (100), BATCH of them in a transaction "
             "(100); and what an operation took. Another seed each time.",
     .least = 1,
     .most = 3,
     .run = store_bulk},
};

SHELL_COMMANDS(commands);
