// SPDX-License-Identifier: MIT
#include <keyhole.h>

TEST(locker, is_closed)
{
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL);

    volatile int *value = kmap_local_page(page);
    *value = 1;
    kunmap_local((const void *)value);

    CHECK_REFUSED(ACCESS_WRITE, *value = 2);
    CHECK_REFUSED(ACCESS_READ, (void)*value);
    free_page(page);
}
