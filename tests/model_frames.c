// SPDX-License-Identifier: MIT
//
// Steps with domains and frames: they come, hold what was written, and go.
#include "mm/layout.h"
#include "tests/model.h"

#define ORDERS_MANY 4 // 0 to 3, nearly always
#define ORDERS_ALL 11 // and sometimes any
#define LARGE_IN 50   // of so many blocks, one is of any order

// --------------------------------------------------------------------- Domains

void model_create(struct model *model)
{
    unsigned number = 1 + model_random(model, MODEL_DOMAINS - 1);
    if (model->domains[number] == NULL) {
        model->domains[number] = domain_create("model");
        model_about(model, number);
    }
}

void model_destroy(struct model *model)
{
    unsigned number = 1 + model_random(model, MODEL_DOMAINS - 1);
    if (model->domains[number] == NULL) {
        return;
    }
    int want = 0;
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        if (model->blocks[i].page != NULL &&
            model->blocks[i].domain == number) {
            want = -EBUSY;
        }
    }
    if (domain_destroy(model->domains[number]) != want) {
        model_fail(model, "domain_destroy() gives another result", number);
    }
    if (want == 0) {
        model->domains[number] = NULL;
    }
    model_about(model, number);
}

// ---------------------------------------------------------------------- Blocks

// No frame is given to two, and none with what it held before.
static void block_check(struct model *model, const struct model_block *new)
{
    const struct page *end = new->page + BIT(new->order);
    struct page *page = new->page + model_random(model, BIT(new->order));
    if (page_domain(page) != model->domains[new->domain]) {
        model_fail(model, "frames of another domain", page_to_phys(page));
    }
    uint64_t content;
    memcpy_from_page(&content, page, 8 * model_random(model, PAGE_SIZE / 8),
                     sizeof(content));
    if (content != 0) {
        model_fail(model, "a new frame is not zero", page_to_phys(page));
    }
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        const struct model_block *block = &model->blocks[i];
        if (block != new && block->page != NULL &&
            block->page < end &&new->page < block->page + BIT(block->order)) {
            model_fail(model, "a frame is given twice",
                       page_to_phys(new->page));
        }
    }
}

void model_alloc(struct model *model)
{
    unsigned number = model_random(model, MODEL_DOMAINS);
    struct model_block *block =
        &model->blocks[model_random(model, MODEL_BLOCKS)];
    unsigned orders =
        model_random(model, LARGE_IN) == 0 ? ORDERS_ALL : ORDERS_MANY;
    unsigned order = model_random(model, orders);
    if (model->domains[number] == NULL || block->page != NULL) {
        return;
    }
    struct page *page = alloc_pages(model->domains[number], order);
    if (page == NULL) {
        return; // little memory
    }
    *block = (struct model_block){page, order, number, .users = 0};
    model_about(model, page_to_phys(page));
    block_check(model, block);
}

void model_free(struct model *model)
{
    struct model_block *block = model_block(model);
    if (block == NULL || block->users != 0) {
        return;
    }
    struct page *page = block->page + model_random(model, BIT(block->order));
    model_about(model, page_to_phys(block->page));
    free_pages(block->page, block->order);
    block->page = NULL;
    if (page_domain(page) != NULL) {
        model_fail(model, "a free frame has a domain", page_to_phys(page));
    }
    model_dead_add(model, (uintptr_t)page_direct_map_address(page));
    model_dead_add(model, KMAP_BASE + page_to_phys(page));
}

// -------------------------------------------------------------------- Contents

// A frame at random, and in *tag what it holds at its place.
static struct page *frame_choose(struct model *model, uint64_t **tag)
{
    struct model_block *block = model_block(model);
    unsigned index = model_random(model, model_frames(block));
    *tag = &block->tag[index];
    return block->page + index;
}

// Through the helpers, which bracket for themselves.
void model_copy(struct model *model)
{
    if (model_block(model) == NULL) {
        return;
    }
    uint64_t *tag, *source, seen;
    struct page *page = frame_choose(model, &tag);
    size_t place = model_place(page);
    struct page *from = frame_choose(model, &source);
    uint64_t value = model_random(model, ~0ull);
    model_about(model, page_to_phys(page));
    switch (model_random(model, 5)) {
    case 0:
        memcpy_from_page(&seen, page, place, sizeof(seen));
        if (seen != *tag) {
            model_fail(model, "memcpy_from_page() reads something else",
                       page_to_phys(page));
        }
        break;
    case 1:
        memset_page(page, place, (int)(value & 0xff), sizeof(*tag));
        *tag = (value & 0xff) * 0x0101010101010101ull;
        break;
    case 2:
        memzero_page(page, place, sizeof(*tag));
        *tag = 0;
        break;
    case 3:
        memcpy_page(page, place, from, model_place(from), sizeof(*tag));
        *tag = *source;
        break;
    default:
        memcpy_to_page(page, place, &value, sizeof(value));
        *tag = value;
        break;
    }
}
