// SPDX-License-Identifier: MIT
#include <keyhole.h>

TEST(locker, keeps_a_value)
{
    struct domain *domain = domain_create("locker");
    struct page *page = alloc_page(domain);
    CHECK(page != NULL);

    int *value = kmap_local_page(page);
    *value = 1234;
    kunmap_local(value);

    const int *again = kmap_local_page_ro(page);
    int found = *again;
    kunmap_local(again);
    CHECK_EQ(found, 1234);

    free_page(page);
    CHECK_EQ(domain_destroy(domain), 0);
}
