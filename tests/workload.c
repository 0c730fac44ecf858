// SPDX-License-Identifier: MIT
//
// Frames for the workloads.
#include "tests/workload.h"

bool workload_frames_alloc(struct domain *domain, struct page **pages,
                           unsigned count)
{
    uint64_t random = count;
    for (unsigned i = 0; i < count; i++) {
        struct page *page = alloc_page(domain);
        if (page == NULL) {
            workload_frames_free(pages, i);
            return false;
        }
        // Fisher and Yates's shuffle, as they come.
        unsigned place = (unsigned)workload_random(&random, i + 1);
        pages[i] = pages[place];
        pages[place] = page;
    }
    return true;
}

void workload_frames_free(struct page **pages, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        free_page(pages[i]);
    }
}

void workload_tag_write(struct page *page, uint64_t tag)
{
    memcpy_to_page(page, 0, &tag, sizeof(tag));
}

uint64_t workload_tag_read(struct page *page)
{
    uint64_t tag;
    memcpy_from_page(&tag, page, 0, sizeof(tag));
    return tag;
}
