// SPDX-License-Identifier: MIT
//
// The first C code: whichever loader started us, one struct boot_info for
// kmain(). Runs on the early tables: the first 4 GiB are mapped one to one.
#include "boot/main.h"

#include "boot/choose.h"
#include "boot/multiboot2.h"
#include "boot/pvh.h"
#include "kernel/main.h"
#include "lib/boot_info.h"

#define EARLY_MAPPED GIB(4)

extern char __image_start_phys[], __image_end_phys[];

// enter_other() of the other kernel in this image, where there is one. Weak: no
// compiler may take it for granted.
extern __attribute__((weak)) void
other_kernel_entry(enum boot_protocol protocol, uint32_t info, uint64_t tsc);

static __initbss struct boot_info boot;

// struct phys_reader on the one-to-one mapping.
static __init const void *early_read(void *context, uint64_t phys, size_t len)
{
    (void)context;
    if (phys == 0 || phys >= EARLY_MAPPED || len > EARLY_MAPPED - phys) {
        return NULL;
    }
    return (const void *)phys;
}

__init void boot_main(enum boot_protocol protocol, uint32_t info)
{
    struct phys_reader reader = {.read = early_read};
    const char *error;
    if (protocol == BOOT_PROTOCOL_MULTIBOOT2) {
        error = multiboot2_parse((const void *)(uintptr_t)info,
                                 EARLY_MAPPED - info, &boot);
    } else {
        error = pvh_parse(&reader, info, &boot);
    }
    if (error == NULL && other_kernel_entry != NULL &&
        boot_wants_open(boot.cmdline)) {
        other_kernel_entry(protocol, info, boot_tsc);
    }
    boot.error = error;
    boot.protocol = protocol;
    boot.early = reader;
    boot.kernel_start = (uintptr_t)__image_start_phys;
    boot.kernel_end = (uintptr_t)__image_end_phys;
    kmain(&boot);
}
