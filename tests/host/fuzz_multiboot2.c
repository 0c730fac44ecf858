// SPDX-License-Identifier: MIT
//
// The input is the boot information. Its first four bytes, the size, are set
// right in every other run, or the fuzzer would get stuck there.

#include "boot/multiboot2.h"
#include "tests/host/fuzz_boot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_info boot;
    uint32_t claimed = (uint32_t)size;
    uint8_t *copy = malloc(size + 1);

    FUZZ_ASSERT(copy != NULL, "out of memory");
    memcpy(copy, data, size);
    memset(&boot, 0xa5, sizeof(boot));
    if (multiboot2_parse(copy, size, &boot) == NULL) {
        fuzz_check_boot_info(&boot);
    }
    if (size >= sizeof(claimed)) {
        memcpy(copy, &claimed, sizeof(claimed));
        if (multiboot2_parse(copy, size, &boot) == NULL) {
            fuzz_check_boot_info(&boot);
        }
    }
    free(copy);
    return 0;
}
