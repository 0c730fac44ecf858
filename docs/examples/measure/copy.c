// SPDX-License-Identifier: MIT
#include <keyhole.h>

BENCH(mine, copy)
{
    static char buffer[64];
    struct page *page = alloc_page(domain_ram);
    BENCH_LOOP (n) {
        memcpy_from_page(buffer, page, 0, sizeof(buffer));
    }
    free_page(page);
}
