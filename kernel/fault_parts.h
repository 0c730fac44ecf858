// SPDX-License-Identifier: MIT
//
// What the two forms of the fault report share: for people, and for programs.
#pragma once

#include "arch/trap.h"
#include "keyhole.h"
#include "mm/long_maps.h"

#define FAULT_CODE_BEFORE 7 // bytes shown of what comes before the instruction
#define FAULT_CODE_BYTES 22 // and with it: the longest has 15 (SDM 2A 2.3.11)

// The watch that has the frame behind a fault, NULL: none. Any context.
const struct watch *fault_watch(const struct fault *fault);

// The mapping for everybody that has or had the address, or the frame; false:
// there is none. Any context.
bool fault_mapping(const struct fault *fault, const struct page *page,
                   struct long_map *map);

// So many bytes around an instruction; NULL: it is not code. Any context.
const uint8_t *fault_code(uintptr_t ip);

// Print the line. `page`: the frame behind the address, or NULL. Any context.
void fault_print_json(const struct trap_frame *trap, const struct fault *fault,
                      const struct page *page);
