// SPDX-License-Identifier: MIT
//
// boot/multiboot2: a PC's boot information, and all the ways to break it.

#include "boot/multiboot2.h"

#include <stdlib.h>

#include "tests/host/images.h"
#include "tests/host/tap.h"

static struct image image;
static struct boot_info boot;

// Parse a copy of exactly the image's size, so that ASan sees a read too many.
static const char *parse(void)
{
    uint8_t *copy = malloc(image.size);
    const char *problem;

    memcpy(copy, image.bytes, image.size);
    memset(&boot, 0xa5, sizeof(boot));
    problem = multiboot2_parse(copy, image.size, &boot);
    free(copy);
    return problem;
}

static bool complains_of(const char *words)
{
    const char *problem = parse();

    return problem != NULL && strstr(problem, words) != NULL;
}

static const struct image_map_entry small_map[] = {{0x100000, 0x100000, 1, 0}};

HOST_TEST(a_pc)
{
    image_multiboot2_pc(&image);
    CHECK(parse() == NULL);
    CHECK_EQ(boot.protocol, BOOT_PROTOCOL_MULTIBOOT2);
    CHECK_STR(boot.cmdline, "protect=pks test=kmap.*");
    CHECK_STR(boot.loader, "GRUB 2.06");
    CHECK(!boot.cmdline_truncated && !boot.efi);
    CHECK_EQ(boot.rsdp_length, 36);
    CHECK_EQ(memory_map_total(&boot.memory, MEMORY_USABLE),
             0x9f000 + 0x1fee0000 + 0x80000000ull);
    CHECK_EQ(memory_map_total(&boot.memory, MEMORY_ACPI), 0x10000);
    CHECK_EQ(memory_map_total(&boot.memory, MEMORY_NVS), 0x10000);
    // Not the parser's to fill.
    CHECK_EQ(boot.kernel_start, 0xa5a5a5a5a5a5a5a5);
}

HOST_TEST(memory_types)
{
    static const struct image_map_entry map[] = {
        {0x1000, 0x1000, 1, 0}, {0x3000, 0x1000, 2, 0}, {0x5000, 0x1000, 3, 0},
        {0x7000, 0x1000, 4, 0}, {0x9000, 0x1000, 5, 0}, {0xb000, 0x1000, 7, 0},
        {0xd000, 0x1000, 0, 0}, {0xf000, 0x1000, 99, 0}};
    static const enum memory_type want[] = {
        MEMORY_USABLE, MEMORY_RESERVED,   MEMORY_ACPI,     MEMORY_NVS,
        MEMORY_BAD,    MEMORY_PERSISTENT, MEMORY_RESERVED, MEMORY_RESERVED};

    image_multiboot2_begin(&image);
    image_multiboot2_map(&image, map, ARRAY_SIZE(map));
    image_multiboot2_end(&image);
    CHECK(parse() == NULL);
    CHECK_EQ(boot.memory.count, ARRAY_SIZE(want));
    for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
        CHECK_EQ(boot.memory.ranges[i].type, want[i]);
    }
}

HOST_TEST(longer_entries_are_understood)
{
    uint64_t body[] = {32,       0x100000, 0x100000, 1,    ~0ull,
                       0x400000, 0x100000, 1,        ~0ull};

    image_multiboot2_begin(&image);
    image_multiboot2_tag(&image, 6, body, sizeof(body));
    image_multiboot2_end(&image);
    CHECK(parse() == NULL);
    CHECK_EQ(memory_map_total(&boot.memory, MEMORY_USABLE), 0x200000);
}

HOST_TEST(basic_memory_is_the_fallback)
{
    uint32_t basic[] = {640, 1024};

    image_multiboot2_begin(&image);
    image_multiboot2_tag(&image, 4, basic, sizeof(basic));
    image_multiboot2_end(&image);
    CHECK(parse() == NULL);
    CHECK_EQ(memory_map_total(&boot.memory, MEMORY_USABLE),
             640 * 1024 + 1024 * 1024);
    // Not where there is a map.
    image_multiboot2_begin(&image);
    image_multiboot2_tag(&image, 4, basic, sizeof(basic));
    image_multiboot2_map(&image, small_map, 1);
    image_multiboot2_end(&image);
    CHECK(parse() == NULL);
    CHECK_EQ(memory_map_total(&boot.memory, MEMORY_USABLE), 0x100000);
}

HOST_TEST(no_memory_is_an_error)
{
    static const struct image_map_entry none[] = {{0x1000, 0x1000, 2, 0}};

    image_multiboot2_begin(&image);
    image_multiboot2_end(&image);
    CHECK(complains_of("no usable memory"));
    image_multiboot2_begin(&image);
    image_multiboot2_map(&image, none, 1);
    image_multiboot2_end(&image);
    CHECK(complains_of("no usable memory"));
}

HOST_TEST(efi_is_seen)
{
    static const uint32_t types[] = {11, 12, 17, 18, 19, 20};

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        image_multiboot2_begin(&image);
        image_multiboot2_map(&image, small_map, 1);
        image_multiboot2_tag(&image, types[i], "12345678", 8);
        image_multiboot2_end(&image);
        CHECK(parse() == NULL);
        CHECK(boot.efi);
    }
}

static void with_rsdps(bool v2_first, uint8_t v1_damage, uint8_t v2_damage)
{
    struct image v1 = {0};
    struct image v2 = {0};

    image_put_rsdp_v1(&v1, 0, 0x1000);
    image_put_rsdp_v2(&v2, 0, 0x2000, 0x3000);
    v1.bytes[17] ^= v1_damage;
    v2.bytes[33] ^= v2_damage;
    image_multiboot2_begin(&image);
    image_multiboot2_map(&image, small_map, 1);
    if (v2_first) {
        image_multiboot2_tag(&image, 15, v2.bytes, 36);
    }
    image_multiboot2_tag(&image, 14, v1.bytes, 20);
    if (!v2_first) {
        image_multiboot2_tag(&image, 15, v2.bytes, 36);
    }
    image_multiboot2_end(&image);
}

HOST_TEST(the_better_root_pointer_wins)
{
    for (unsigned order = 0; order < 2; order++) {
        with_rsdps(order == 0, 0, 0);
        CHECK(parse() == NULL);
        CHECK_EQ(boot.rsdp_length, 36);
        with_rsdps(order == 0, 0, 1);
        CHECK(parse() == NULL);
        CHECK_EQ(boot.rsdp_length, 20);
        CHECK_EQ(boot.rsdp[17], 0x10);
        with_rsdps(order == 0, 1, 0);
        CHECK(parse() == NULL);
        CHECK_EQ(boot.rsdp_length, 36);
        with_rsdps(order == 0, 1, 1);
        CHECK(parse() == NULL);
        CHECK_EQ(boot.rsdp_length, 0);
    }
}

HOST_TEST(long_and_unterminated_strings)
{
    char line[BOOT_CMDLINE_MAX + 100];

    memset(line, 'x', sizeof(line));
    image_multiboot2_begin(&image);
    image_multiboot2_map(&image, small_map, 1);
    image_multiboot2_tag(&image, 1, line, sizeof(line));
    image_multiboot2_tag(&image, 2, line, sizeof(line));
    image_multiboot2_end(&image);
    CHECK(parse() == NULL);
    CHECK(boot.cmdline_truncated);
    CHECK_EQ(strlen(boot.cmdline), BOOT_CMDLINE_MAX - 1);
    CHECK_EQ(strlen(boot.loader), BOOT_LOADER_MAX - 1);

    image_multiboot2_begin(&image);
    image_multiboot2_map(&image, small_map, 1);
    image_multiboot2_tag(&image, 1, "abc", 3);
    image_multiboot2_tag(&image, 2, "", 0);
    image_multiboot2_end(&image);
    CHECK(parse() == NULL);
    CHECK_STR(boot.cmdline, "abc");
    CHECK_STR(boot.loader, "");
    CHECK(!boot.cmdline_truncated);
}

HOST_TEST(bad_sizes_are_refused)
{
    image_multiboot2_pc(&image);
    image_put32(&image, 0, (uint32_t)image.size + 1);
    CHECK(complains_of("longer than its window"));
    image_put32(&image, 0, 0xffffffff);
    CHECK(complains_of("longer than its window"));
    image_put32(&image, 0, 15);
    CHECK(complains_of("too short"));
    image_put32(&image, 0, (uint32_t)image.size - 8);
    CHECK(complains_of("no end tag"));
    image_put32(&image, 0, 20);
    CHECK(complains_of("a tag is longer"));
    image.size = 7;
    CHECK(complains_of("too short"));
}

HOST_TEST(bad_tags_are_refused)
{
    static const uint32_t sizes[] = {0, 7, 0xfffffff9, 0xffffffff, 0x80000000};

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        image_multiboot2_pc(&image);
        image_put32(&image, 8 + 4, sizes[i]);
        CHECK(complains_of("a tag is longer"));
    }
}

static bool bad_map(uint32_t entry_size, size_t length, const char *words)
{
    uint32_t body[64] = {entry_size};

    image_multiboot2_begin(&image);
    image_multiboot2_tag(&image, 6, body, length);
    image_multiboot2_map(&image, small_map, 1);
    image_multiboot2_end(&image);
    return complains_of(words);
}

HOST_TEST(bad_maps_are_refused)
{
    CHECK(bad_map(0, 32, "entry size"));
    CHECK(bad_map(8, 32, "entry size"));
    CHECK(bad_map(25, 33, "entry size"));
    CHECK(bad_map(0xfffffff8, 32, "ends inside"));
    CHECK(bad_map(24, 31, "ends inside"));
    CHECK(bad_map(24, 4, "too short"));
    image_multiboot2_begin(&image);
    image_multiboot2_tag(&image, 4, "1234", 4);
    image_multiboot2_end(&image);
    CHECK(complains_of("basic memory tag is too short"));
}

// Whatever is cut off, nothing is read behind it and nothing is made up.
HOST_TEST(every_truncation_is_refused)
{
    image_multiboot2_pc(&image);
    for (size_t whole = image.size - 1; whole > 0; whole--) {
        image.size = whole;
        CHECK(parse() != NULL);
        image_put32(&image, 0, (uint32_t)whole);
        CHECK(parse() != NULL);
    }
}
