// SPDX-License-Identifier: MIT
//
// The input is the physical memory from PVH_BASE on, the start information
// first.

#include "boot/pvh.h"
#include "tests/host/fuzz_boot.h"
#include "tests/host/images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct image image;
    static struct boot_info boot;
    struct phys_reader reader = image_reader(&image);

    image.base = PVH_BASE;
    image.size = MIN(size, IMAGE_SIZE);
    memcpy(image.bytes, data, image.size);
    memset(&boot, 0xa5, sizeof(boot));
    if (pvh_parse(&reader, PVH_BASE, &boot) == NULL) {
        fuzz_check_boot_info(&boot);
    }
    image_reader_end();
    return 0;
}
