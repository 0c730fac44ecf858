// SPDX-License-Identifier: MIT
//
// As much of Linux's headers as the snippets of Linux code in our documents
// need to compile. Declarations only.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;
#define PAGE_SIZE 4096ul
#define min(a, b) ((a) < (b) ? (a) : (b))

struct page;

void *kmap_local_page(struct page *page);
void kunmap_local(const void *address);
void *page_address(const struct page *page);
void memcpy_to_page(struct page *page, size_t offset, const char *from,
                    size_t length);
u32 crc32c(u32 crc, const void *data, unsigned length);
