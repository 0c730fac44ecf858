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

#ifndef EUCLEAN
#define ENXIO 6
#define EROFS 30
#define EOPNOTSUPP 95
#define EUCLEAN 117
#endif

void pmem_flush(const void *address, size_t length);
void pmem_drain(void);
void pmem_persist(const void *address, size_t length);
void pmem_copy_to(struct page *first, size_t offset, const void *from,
                  size_t length);
