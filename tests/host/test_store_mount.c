// SPDX-License-Identifier: MIT
//
// Making a store and opening it: what is written, what is refused, and with
// which words.
#include <stdlib.h>

#include "apps/store/crc32c.h"
#include "apps/store/format.h"
#include "tests/host/store_help.h"
#include "tests/host/tap.h"

#define BLOCKS 64
#define BYTES ((size_t)BLOCKS * STORE_BLOCK_SIZE)

static const struct store_key key_1 = {1, 2, 3};

static struct store_help help;
static uint8_t got[1];

HOST_TEST(format_is_careful)
{
    struct medium *medium = medium_create(BYTES);
    struct page *pages = medium_pages(medium);
    uint8_t byte = 1;

    CHECK_EQ(store_format(pages, 15 * STORE_BLOCK_SIZE, store_help_uuid, true),
             -EINVAL);
    CHECK_EQ(store_format(pages, UINT64_MAX, store_help_uuid, true), -EINVAL);
    medium_write(medium, STORE_BLOCK_SIZE - 1, &byte, 1);
    CHECK_EQ(store_format(pages, BYTES, store_help_uuid, false), -EEXIST);
    CHECK_EQ(store_format(pages, BYTES, store_help_uuid, true), 0);
    CHECK_EQ(store_format(pages, BYTES, store_help_uuid, false), -EEXIST);
    medium_destroy(medium);
}

HOST_TEST(format_to_the_byte)
{
    struct store_header header;
    struct store_superblock superblock;
    uint64_t selector;
    uint8_t block[STORE_BLOCK_SIZE];

    store_help_make(&help, BLOCKS, 0);
    medium_read(help.medium, 0, block, sizeof(block));
    memcpy(&header, block, sizeof(header));
    CHECK(memcmp(block + 8, "KEYHOLE\n", 8) == 0);
    CHECK(header.version == 1 && header.block_size == 16384 &&
          header.blocks == BLOCKS);
    CHECK(memcmp(header.uuid, store_help_uuid, 16) == 0);
    CHECK_EQ(header.crc, store_crc32c_by_table(block + 4, 4092));
    memcpy(&selector, block + 0x1000, 8);
    CHECK_EQ(selector & 0xffffffffffff, 1);
    CHECK_EQ(selector >> 48, store_crc32c_by_table(block + 0x1000, 6) & 0xffff);
    memcpy(&superblock, block + 0x3000, sizeof(superblock));
    CHECK(superblock.generation == 1 && superblock.root == 0 &&
          superblock.items == 0 && superblock.next_snapshot == 1);
    CHECK_EQ(superblock.crc, store_crc32c_by_table(block + 0x3004, 4092));
    store_help_end(&help);
}

static int mount_error(const char *part)
{
    struct store_problem problem;
    int result = store_help_mount(&help, 0, &problem);

    if (result != 0 &&
        (problem.error != result || strstr(problem.text, part) == NULL)) {
        host_test_fail(__FILE__, __LINE__, "%d: %s", problem.error,
                       problem.text);
    }
    return result;
}

static void unmount(void)
{
    if (store_unmount(help.store) != 0) {
        abort();
    }
    help.store = NULL;
}

// A header that says something else, and says it soundly.
static void set_header(const struct store_header *wanted)
{
    static uint8_t part[STORE_PART_SIZE];
    struct store_header *header = (void *)part;

    *header = *wanted;
    header->crc = crc32c_rest(part, sizeof(part));
    medium_write(help.medium, 0, part, sizeof(part));
}

HOST_TEST(mount_says_what_is_wrong)
{
    struct store_problem problem;
    struct store_header header, good;

    store_help_make(&help, BLOCKS, 0);
    unmount();
    CHECK_EQ(store_mount(medium_pages(help.medium), BYTES, 1u << 31,
                         &help.store, NULL),
             -EINVAL);
    CHECK_EQ(store_mount(medium_pages(help.medium), 15 * STORE_BLOCK_SIZE, 0,
                         &help.store, &problem),
             -ENODEV);
    CHECK_EQ(store_mount(medium_pages(help.medium), BYTES - 1, 0, &help.store,
                         &problem),
             -EUCLEAN);
    CHECK(strstr(problem.text, "larger than the memory") != NULL);
    medium_read(help.medium, 0, &good, sizeof(good));
    store_help_flip(&help, 8, 1); // the magic
    CHECK_EQ(mount_error("no store"), -ENODEV);
    store_help_flip(&help, 8, 1);
    store_help_flip(&help, 4000, 1);
    CHECK_EQ(mount_error("header's checksum"), -EUCLEAN);
    store_help_flip(&help, 4000, 1);
    header = good;
    header.version = 2;
    set_header(&header);
    CHECK_EQ(mount_error("another version"), -EOPNOTSUPP);
    header = good;
    header.block_size = 4096;
    set_header(&header);
    CHECK_EQ(mount_error("block size"), -EOPNOTSUPP);
    header = good;
    header.blocks = 15;
    set_header(&header);
    CHECK_EQ(mount_error("cannot be"), -EUCLEAN);
    header = good;
    header.zero = 1;
    set_header(&header);
    CHECK_EQ(mount_error("cannot be"), -EUCLEAN);
    set_header(&good);
    store_help_flip(&help, 0x1000, 1);
    CHECK_EQ(mount_error("selector"), -EUCLEAN);
    store_help_flip(&help, 0x1000, 1);
    store_help_flip(&help, 0x3010, 1);
    CHECK_EQ(mount_error("superblock's checksum"), -EUCLEAN);
    store_help_flip(&help, 0x3010, 1);
    CHECK_EQ(mount_error(""), 0);
    store_help_end(&help);
    help.medium = medium_create(BYTES);
    CHECK_EQ(mount_error("nothing"), -ENODEV);
    store_help_end(&help);
}

HOST_TEST(older_superblock_is_not_taken_instead)
{
    store_help_make(&help, BLOCKS, 0);
    CHECK_EQ(store_put(help.store, &key_1, "x", 1), 0);
    unmount();
    store_help_flip(&help, 0x2000,
                    1); // of generation 2, the current one; 1 is sound
    CHECK_EQ(mount_error("superblock"), -EUCLEAN);
    store_help_flip(&help, 0x2000, 1);
    CHECK_EQ(mount_error(""), 0);
    store_help_end(&help);
}

// Two that write would take each other's blocks.
HOST_TEST(mounted_once)
{
    struct store_problem problem;
    struct store *other = NULL;

    store_help_make(&help, BLOCKS, 0);
    CHECK_EQ(store_mount(medium_pages(help.medium), BYTES, 0, &other, &problem),
             -EBUSY);
    CHECK_EQ(problem.error, -EBUSY);
    // What overlaps, too.
    struct page *middle = medium_pages(help.medium) + BYTES / PAGE_SIZE / 2;
    CHECK_EQ(store_mount(middle, BYTES / 2, STORE_READ_ONLY, &other, NULL),
             -EBUSY);
    CHECK_EQ(store_format(middle, BYTES / 2, store_help_uuid, true), -EBUSY);
    CHECK_EQ(store_help_remount(&help, 0), 0);
    unmount();
    CHECK_EQ(store_format(middle, BYTES / 2, store_help_uuid, true), 0);
    store_help_end(&help);
}

HOST_TEST(read_only)
{
    struct store_tx *tx;
    size_t size;

    store_help_make(&help, BLOCKS, 0);
    CHECK_EQ(store_put(help.store, &key_1, "x", 1), 0);
    CHECK_EQ(store_help_remount(&help, STORE_READ_ONLY), 0);
    CHECK_EQ(store_begin(help.store, &tx), -EROFS);
    CHECK_EQ(store_put(help.store, &key_1, "y", 1), -EROFS);
    CHECK_EQ(store_get(help.store, &key_1, got, sizeof(got), &size), 0);
    CHECK(size == 1 && got[0] == 'x');
    store_help_end(&help);
}

// The last generation that the selector can name.
HOST_TEST(generations_end)
{
    static uint8_t part[STORE_PART_SIZE];
    struct store_superblock *superblock = (void *)part;
    uint64_t selector, generation = STORE_GENERATION_MAX - 1;
    struct store_tx *tx;

    store_help_make(&help, BLOCKS, 0);
    unmount();
    medium_read(help.medium, 0x3000, part, sizeof(part));
    superblock->generation = generation;
    superblock->crc = crc32c_rest(part, sizeof(part));
    medium_write(help.medium, 0x2000, part, sizeof(part));
    selector = generation | (uint64_t)store_crc32c_by_table(&generation, 6)
                                << 48;
    medium_write(help.medium, 0x1000, &selector, sizeof(selector));
    CHECK_EQ(mount_error(""), 0);
    CHECK_EQ(store_put(help.store, &key_1, "x", 1), 0);
    CHECK_EQ(store_put(help.store, &key_1, "y", 1), -ERANGE);
    CHECK_EQ(store_begin(help.store, &tx), -ERANGE);
    CHECK_EQ(store_help_remount(&help, 0), 0);
    store_help_end(&help);
}

// Add to what the superblock counts, and make its checksum right.
static void add_to_counts(uint64_t items, uint64_t snapshots,
                          uint64_t next_snapshot)
{
    static uint8_t part[STORE_PART_SIZE];
    struct store_superblock *superblock = (void *)part;
    uint64_t selector;

    medium_read(help.medium, 0x1000, &selector, sizeof(selector));
    size_t slot = selector % 2 == 0 ? 0x2000 : 0x3000;
    medium_read(help.medium, slot, part, sizeof(part));
    superblock->items += items;
    superblock->snapshots += snapshots;
    superblock->next_snapshot += next_snapshot;
    superblock->crc = crc32c_rest(part, sizeof(part));
    medium_write(help.medium, slot, part, sizeof(part));
}

// Sound blocks, and a superblock that counts wrong.
static void miscount(uint64_t items, uint64_t snapshots)
{
    struct store_check check;

    store_help_make(&help, BLOCKS, 0);
    CHECK_EQ(store_put(help.store, &key_1, "x", 1), 0);
    unmount();
    add_to_counts(items, snapshots, snapshots);
    CHECK_EQ(mount_error(""), 0);
    CHECK_EQ(store_check(help.store, &check, NULL, NULL),
             items + snapshots > 0 ? -EUCLEAN : 0);
    CHECK_EQ(check.damaged, items + snapshots);
    store_help_end(&help);
}

HOST_TEST(counts_are_checked)
{
    miscount(0, 0);
    miscount(1, 0);
    miscount(0, 1);
}

// Where snapshots are not those that the superblock counts, a new one could get
// an old one's id, and dropping one would make a superblock that cannot be.
HOST_TEST(snapshots_are_counted_before_anything_is_written)
{
    const uint64_t wrong[][2] = {
        {-1ull, 0}, {-1ull, -1ull}, {0, -1ull}, {1, 1}};
    struct store_problem problem;
    uint64_t id;

    for (unsigned i = 0; i < 4; i++) {
        store_help_make(&help, BLOCKS, 0);
        CHECK_EQ(store_put(help.store, &key_1, "x", 1), 0);
        CHECK_EQ(store_snapshot_take(help.store, "a", &id), 0);
        CHECK_EQ(store_snapshot_take(help.store, "b", &id), 0);
        CHECK_EQ(store_snapshot_drop(help.store, 1), 0);
        unmount();
        add_to_counts(0, wrong[i][0], wrong[i][1]);
        CHECK_EQ(store_help_mount(&help, 0, &problem), 0);
        CHECK_EQ(problem.error, -EUCLEAN);
        CHECK(strstr(problem.text, "snapshots") != NULL);
        CHECK_EQ(store_snapshot_drop(help.store, id), -EROFS);
        store_help_end(&help);
    }
}

HOST_TEST(ids_of_snapshots_end)
{
    uint64_t id;

    store_help_make(&help, BLOCKS, 0);
    unmount();
    add_to_counts(0, 0, -3ull);
    CHECK_EQ(mount_error(""), 0);
    CHECK_EQ(store_snapshot_take(help.store, "a", &id), 0);
    CHECK_EQ(id, -2ull);
    CHECK_EQ(store_snapshot_take(help.store, "b", &id), -ERANGE);
    CHECK_EQ(store_help_remount(&help, 0), 0);
    store_help_end(&help);
}
