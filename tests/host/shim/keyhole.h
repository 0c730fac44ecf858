// SPDX-License-Identifier: MIT
//
// The public header as the host's tests have it: map calls are the functions of
// tests/host/medium.c, not instructions in line that want the kernel's data.
#pragma once

#include_next <keyhole.h>

#undef kmap_local_page
#undef kmap_local_page_ro
#undef kmap_local_range
#undef kmap_local_range_ro
#undef kunmap_local
