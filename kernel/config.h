// SPDX-License-Identifier: MIT
//
// What this boot was asked to be: the command line, and what follows from it.
#pragma once

#include "kernel/cmdline.h"
#include "lib/boot_info.h"

// The boot command line, read-only after boot.
extern struct cmdline config;

// How the loader got us here, for the banner.
struct boot_summary {
    const char *loader;
    enum boot_protocol protocol;
    bool efi;
};
extern struct boot_summary boot_summary;

// Take the command line and the ACPI power registers from boot_info; stop with
// a message if either the loader's information or a boot word is bad. Boot.
void config_init(const struct boot_info *boot);

// Stop with a message that names the feature and the QEMU flag that adds it,
// unless the CPU has what the kernel and the chosen engine need. Boot.
void config_check_cpu(void);

// "pks", "exact", ...
const char *protect_engine_name(enum protect_engine engine);
