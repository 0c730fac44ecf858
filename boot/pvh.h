// SPDX-License-Identifier: MIT
//
// What a PVH loader (`qemu -kernel`, Xen) left for us, read with suspicion.
// Pure: reads through the given window and nothing else. Runs on the host too.
#pragma once

#include "lib/boot_info.h"

// Read the hvm_start_info at `start_info_phys`. Fills every member of `out` but
// kernel_start and kernel_end, which it leaves alone, and reserves nothing by
// itself. Returns NULL, or a message that says what is wrong; `out` must not be
// used then.
//
// A root pointer that fails its checksum is left out, not an error.
const char *pvh_parse(struct phys_reader *reader, uint64_t start_info_phys,
                      struct boot_info *out);
