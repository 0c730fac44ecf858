// SPDX-License-Identifier: MIT
//
// What the shell's commands for the store share.
#include "apps/store/shell.h"

#include "kernel/shell_command.h"
#include "lib/types.h"

#define COLUMNS 80

static struct store *mounted;

static void explain(const struct pmem_region *region,
                    const struct store_problem *problem)
{
    const char *name = domain_name(region->domain);
    if (problem->error == -ENODEV) {
        shell_error("%s has no store: %s", name, problem->text);
    } else {
        shell_error("%s, block %llu: %s", name,
                    (unsigned long long)problem->block, problem->text);
    }
}

const struct pmem_region *store_region(void)
{
    const struct pmem_region *region = pmem_region(0);
    if (region == NULL) {
        shell_error("there is no persistent memory; make run PMEM=FILE,64M "
                    "has some");
    }
    return region;
}

struct store *store_here(void)
{
    const struct pmem_region *region = mounted != NULL ? NULL : store_region();
    if (region == NULL) {
        return mounted;
    }
    struct store_problem problem = {0};
    int result =
        store_mount(region->first, region->length, 0, &mounted, &problem);
    if (result != 0) {
        mounted = NULL;
        problem.error = result;
        problem.text = problem.text != NULL ? problem.text : "no memory";
        explain(region, &problem);
    } else if (problem.error != 0) { // mounted read-only
        explain(region, &problem);
    }
    return mounted;
}

void store_say_error(const char *what, int error)
{
    const char *why =
        error == -ENOENT    ? "there is no such thing"
        : error == -EEXIST  ? "there is one already"
        : error == -ENOSPC  ? "the store is full; delete keys, drop snapshots"
        : error == -ERANGE  ? "it is too large"
        : error == -EINVAL  ? "that is not possible: the object 2^64 - 1, more "
                              "than 8000 bytes or a bad name"
        : error == -EROFS   ? "the store is mounted read-only: it is damaged"
        : error == -EUCLEAN ? "a block is damaged; check says which"
        : error == -EBUSY   ? "it is in use"
        : error == -EIO     ? "the memory does not keep what is written to it"
        : error == -ENOMEM  ? "no memory"
                            : "an error that should not be";
    shell_error("%s: %s (%d)", what, why, error);
}

// ---------------------------------------------------------- Keys and values

bool store_key_parse(const char *text, const struct store_key *fill,
                     struct store_key *key)
{
    char part[24];
    uint64_t value[3] = {0, fill->type, fill->offset};
    static const uint64_t limit[] = {UINT64_MAX - 1, UINT8_MAX, UINT64_MAX};
    unsigned parts = 0;
    for (const char *at = text; parts < ARRAY_SIZE(value); at++) {
        size_t length = 0;
        while (at[length] != ',' && at[length] != '\0') {
            length++;
        }
        if (length >= sizeof(part)) {
            break;
        }
        memcpy(part, at, length);
        part[length] = '\0';
        if (!shell_number(part, limit[parts], &value[parts])) {
            return false;
        }
        parts++;
        at += length;
        if (*at == '\0') {
            *key = (struct store_key){value[0], value[2], (uint8_t)value[1]};
            return true;
        }
    }
    shell_error("%s: want a key, OBJECT[,TYPE[,OFFSET]]", text);
    return false;
}

const struct store_key store_key_lowest = {0, 0, 0};
const struct store_key store_key_highest = {UINT64_MAX - 1, UINT64_MAX,
                                            UINT8_MAX};

unsigned store_key_print(const struct store_key *key)
{
    char text[48];
    int length = snprintf(text, sizeof(text), "%llu,%u,%llu",
                          (unsigned long long)key->object, key->type,
                          (unsigned long long)key->offset);
    printf("%s", text);
    return length;
}

void store_value_print(const uint8_t *value, size_t size, unsigned used)
{
    unsigned room = COLUMNS - used - sizeof("...  (8000 bytes)");
    size_t shown = MIN(size, room);
    bool text = true;
    for (size_t i = 0; i < shown; i++) {
        text = text && value[i] >= ' ' && value[i] <= '~';
    }
    shown = text ? shown : MIN(size, room / 2);
    for (size_t i = 0; i < shown; i++) {
        printf(text ? "%c" : "%02x", value[i]);
    }
    printf("%s  (%llu bytes)\n", shown < size ? "..." : "",
           (unsigned long long)size);
}

int store_shell_unmount(void)
{
    int result = mounted != NULL ? store_unmount(mounted) : 0;
    mounted = result == 0 ? NULL : mounted;
    return result;
}
