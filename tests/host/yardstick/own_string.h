// SPDX-License-Identifier: MIT
//
// Read before the store's sources: their memcpy() and so on are the kernel's,
// as they are in the kernel.
#pragma once

#include "lib/string.h"

#define memcpy keyhole_memcpy
#define memmove keyhole_memmove
#define memset keyhole_memset
#define memcmp keyhole_memcmp
#define strlen keyhole_strlen
#define strcmp keyhole_strcmp
