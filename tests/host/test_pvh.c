// SPDX-License-Identifier: MIT
//
// boot/pvh: a PC's start information, and all the ways to break it.

#include "boot/pvh.h"

#include "tests/host/images.h"
#include "tests/host/tap.h"

static struct image image;
static struct boot_info boot;

static const char *parse(void)
{
    struct phys_reader reader = image_reader(&image);
    const char *problem;

    memset(&boot, 0xa5, sizeof(boot));
    problem = pvh_parse(&reader, image.base, &boot);
    image_reader_end();
    return problem;
}

static bool complains_of(const char *words)
{
    const char *problem = parse();

    return problem != NULL && strstr(problem, words) != NULL;
}

HOST_TEST(a_pc)
{
    image_pvh_pc(&image);
    CHECK(parse() == NULL);
    CHECK_EQ(boot.protocol, BOOT_PROTOCOL_PVH);
    CHECK_STR(boot.cmdline, "protect=exact bench");
    CHECK_STR(boot.loader, "PVH");
    CHECK(!boot.cmdline_truncated && !boot.efi);
    CHECK_EQ(boot.rsdp_length, 20);
    CHECK_EQ(memory_map_total(&boot.memory, MEMORY_USABLE),
             0x9f000 + 0x1fee0000 + 0x80000000ull);
    CHECK_EQ(boot.kernel_end, 0xa5a5a5a5a5a5a5a5);
}

HOST_TEST(memory_types)
{
    static const struct image_map_entry map[] = {
        {0x1000, 0x1000, 1, 0},      {0x3000, 0x1000, 2, 0},
        {0x5000, 0x1000, 7, 0},      {0x7000, 0x1000, 12, 0},
        {0x100000000, 0x1000, 7, 0}, {0x100000800, 0x1000, 2, 0}};
    // The last two overlap: a frame that anyone calls reserved stays that.
    static const enum memory_type want[] = {MEMORY_USABLE, MEMORY_RESERVED,
                                            MEMORY_PERSISTENT, MEMORY_RESERVED,
                                            MEMORY_RESERVED};

    image_pvh_pc(&image);
    image_put(&image, PVH_MAP, map, sizeof(map));
    image_put32(&image, 48, ARRAY_SIZE(map));
    CHECK(parse() == NULL);
    CHECK_EQ(boot.memory.count, ARRAY_SIZE(want));
    for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
        CHECK_EQ(boot.memory.ranges[i].type, want[i]);
    }
}

HOST_TEST(missing_parts_are_missing)
{
    image_pvh_pc(&image);
    image_put64(&image, 24, 0);
    image_put64(&image, 32, 0);
    CHECK(parse() == NULL);
    CHECK_STR(boot.cmdline, "");
    CHECK_EQ(boot.rsdp_length, 0);
    image_put32(&image, 48, 0);
    CHECK(complains_of("no usable memory"));
}

HOST_TEST(bad_headers_are_refused)
{
    image_pvh_pc(&image);
    image_put32(&image, 4, 0);
    CHECK(complains_of("version 1 is needed"));
    image_put32(&image, 0, 0x336ec579);
    CHECK(complains_of("magic"));
    image_pvh_pc(&image);
    image.size = 55;
    CHECK(complains_of("start information lies outside"));
    image.size = 39;
    CHECK(complains_of("start information lies outside"));
}

HOST_TEST(later_versions_are_understood)
{
    image_pvh_pc(&image);
    image_put32(&image, 4, 2);
    CHECK(parse() == NULL);
}

HOST_TEST(command_line_at_the_end_of_memory)
{
    image_pvh_pc(&image);
    image_put(&image, image.size - 4, "abc", 4);
    image_put64(&image, 24, PVH_BASE + image.size - 4);
    CHECK(parse() == NULL);
    CHECK_STR(boot.cmdline, "abc");
    image.bytes[image.size - 1] = 'd';
    CHECK(complains_of("command line lies outside"));
    image_put64(&image, 24, UINT64_MAX);
    CHECK(complains_of("command line lies outside"));
}

HOST_TEST(long_command_lines_are_cut)
{
    image_pvh_pc(&image);
    image.size = IMAGE_SIZE;
    memset(image.bytes + 0x1000, 'x', BOOT_CMDLINE_MAX - 1);
    image.bytes[0x1000 + BOOT_CMDLINE_MAX - 1] = '\0';
    image_put64(&image, 24, PVH_BASE + 0x1000);
    CHECK(parse() == NULL);
    CHECK(!boot.cmdline_truncated);
    CHECK_EQ(strlen(boot.cmdline), BOOT_CMDLINE_MAX - 1);
    image.bytes[0x1000 + BOOT_CMDLINE_MAX - 1] = 'x';
    CHECK(parse() == NULL);
    CHECK(boot.cmdline_truncated);
    CHECK_EQ(strlen(boot.cmdline), BOOT_CMDLINE_MAX - 1);
}

HOST_TEST(bad_maps_are_refused)
{
    image_pvh_pc(&image);
    image_put32(&image, 48, 0xffffffff);
    CHECK(complains_of("impossible number"));
    image_put32(&image, 48, 1000);
    CHECK(complains_of("map lies outside"));
    image_put32(&image, 48, 1);
    image_put64(&image, 40, UINT64_MAX - 10);
    CHECK(complains_of("map lies outside"));
}

HOST_TEST(root_pointers_are_verified)
{
    image_pvh_pc(&image);
    image.bytes[PVH_RSDP + 16] ^= 1;
    CHECK(parse() == NULL);
    CHECK_EQ(boot.rsdp_length, 0);
    image_put_rsdp_v2(&image, PVH_RSDP, 0x1000, 0x2000);
    CHECK(parse() == NULL);
    CHECK_EQ(boot.rsdp_length, 36);
    image.bytes[PVH_RSDP + 25] ^= 1;
    CHECK(parse() == NULL);
    CHECK_EQ(boot.rsdp_length, 0);
    image_put_rsdp_v2(&image, PVH_RSDP, 0x1000, 0x2000);
    image_put32(&image, PVH_RSDP + 20, 0xffffffff);
    CHECK(parse() == NULL);
    CHECK_EQ(boot.rsdp_length, 0);
    image_put64(&image, 32, PVH_BASE + image.size - 10);
    CHECK(parse() == NULL);
    CHECK_EQ(boot.rsdp_length, 0);
}
