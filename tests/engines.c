// SPDX-License-Identifier: MIT
//
// The engines as data.
#include "tests/engines.h"

#include "arch/pks.h"
#include "arch/regs.h"
#include "mm/context.h"
#include "mm/domain.h"
#include "mm/keys.h"
#include "mm/local_window.h"
#include "mm/lock.h"

static const struct test_engine engines[] = {
    [PROTECT_PKS] =
        {
            .closed = FAULT_PKEY,
            .read_only = FAULT_PKEY,
            .closed_error = PF_PRESENT | PF_PKEY,
            .read_only_error = PF_PRESENT | PF_WRITE | PF_PKEY,
            .closed_has_leaf = true,
            .others_stay_out = true,
            .brackets_are_direct = true,
            .keys = true,
            .grain = GRAIN_DOMAIN,
            .pair = {.pkrs_writes = 2},
            .pair_again = {.pkrs_skipped = 2},
        },
    [PROTECT_EXACT] =
        {
            .closed = FAULT_NOT_PRESENT,
            .read_only = FAULT_WRITE_PROTECT,
            .read_only_error = PF_PRESENT | PF_WRITE,
            .others_stay_out = true,
            .grain = GRAIN_FRAME,
            .pair = {.pte_writes = 2, .invlpg = 1},
            .frame_more = {.pte_writes = 2, .invlpg = 1},
            .pair_again = {.pte_writes = 2, .invlpg = 1},
        },
    [PROTECT_OPEN] =
        {
            .brackets_are_direct = true,
            .grain = GRAIN_ALL,
        },
    [PROTECT_FLIP] =
        {
            .closed = FAULT_NOT_PRESENT,
            .read_only = FAULT_WRITE_PROTECT,
            .read_only_error = PF_PRESENT | PF_WRITE,
            .brackets_are_direct = true,
            .grain = GRAIN_FRAME,
            .pair = {.pte_writes = 2, .invlpg = 1},
            .frame_more = {.pte_writes = 2, .invlpg = 1},
            .pair_again = {.pte_writes = 2},
        },
};

const struct test_engine *test_engine(void)
{
    return &engines[protect_engine()];
}

size_t engine_window_room(void)
{
    return (percpu.window->end - percpu.window->next) / PAGE_SIZE - 1;
}

static bool is_at(const struct fault *fault, const void *address)
{
    return fault->address == (uintptr_t)address;
}

// The key of the frame's leaf is that of its domain.
static bool names_frame(const struct fault *fault, const struct page *page)
{
    return page == NULL ||
           (fault->page == page &&
            fault->pkey == (int)domain_leaf_key(page_domain(page)));
}

bool is_refusal(const struct fault *fault, enum fault_access access,
                const void *address, const struct page *page)
{
    const struct test_engine *want = test_engine();
    uint32_t error =
        want->closed_error | (access == ACCESS_WRITE ? PF_WRITE : 0);
    // Without a leaf an address tells its frame in the direct map alone.
    bool direct = (uintptr_t)address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE;
    bool named =
        want->closed_has_leaf
            ? names_frame(fault, page)
            : fault->pkey == -1 &&
                  (page == NULL || fault->page == (direct ? page : NULL));
    return fault->kind == want->closed && fault->access == access &&
           fault->error_code == error && is_at(fault, address) && named;
}

bool is_read_only_refusal(const struct fault *fault, const void *address,
                          const struct page *page)
{
    const struct test_engine *want = test_engine();
    bool key = want->closed_has_leaf
                   ? names_frame(fault, page)
                   : fault->page == page && fault->pkey == KEY_KERNEL;
    return fault->kind == want->read_only && fault->access == ACCESS_WRITE &&
           fault->error_code == want->read_only_error &&
           is_at(fault, address) && key;
}

void test_relaxed_forget(void)
{
    struct mm_context *context = mm_context_of_thread();
    uint64_t lock = mm_lock();
    pks_set_rights(PKRS_CLOSED);
    key_unpin_relaxed_locked(context->relaxed);
    context->relaxed = 0;
    mm_unlock(lock);
}
