// SPDX-License-Identifier: MIT
//
// Steps that interrupt, abandon and misuse: a handler has none of the thread's
// rights and brackets for itself, code that faults loses what it opened, and a
// call that must be refused changes nothing.
#include "lib/string.h"
#include "mm/layout.h"
#include "tests/engines.h"
#include "tests/model.h"

// -------------------------------------------------------------------- Handlers

static void handler_in_handler(void *argument);

// A few calls in a handler, with the model's eyes on what it may touch.
static void handler_body(struct model *model, bool may_nest)
{
    unsigned outer = model->base;
    model->base = model->depth;
    model_check(model);
    for (unsigned left = model_random(model, 6); left > 0; left--) {
        switch (model_random(model, may_nest ? 5 : 4)) {
        case 0:
        case 1:
            model_open(model);
            break;
        case 2:
            model_close(model);
            break;
        case 3:
            model_copy(model);
            break;
        default:
            cpu_nmi(cpu_id(), handler_in_handler, model);
            break;
        }
        model_check(model);
    }
    while (model->depth > model->base) {
        model_close(model);
    }
    model_check(model);
    model->base = outer;
}

static void handler_in_handler(void *argument)
{
    handler_body(argument, false);
}

static void handler(void *argument)
{
    handler_body(argument, true);
}

void model_handler(struct model *model)
{
    if (model_random(model, 2) == 0) {
        cpu_call(cpu_id(), handler, model);
    } else {
        cpu_nmi(cpu_id(), handler_in_handler, model);
    }
}

// ------------------------------------------------------------------- Abandoned

static void open_some_and_fault(void *argument)
{
    struct model *model = argument;
    for (unsigned left = 1 + model_random(model, 3); left > 0; left--) {
        model_open(model);
    }
    model_check(model);
    *(volatile char *)TEST_REGION_BASE = 1;
}

void model_abandon(struct model *model)
{
    struct fault fault;
    unsigned depth = model->depth;
    if (run_protected(open_some_and_fault, model, &fault) ||
        fault.kind != FAULT_NOT_PRESENT || fault.address != TEST_REGION_BASE) {
        model_fail(model, "code that faults is not abandoned", fault.address);
    }
    while (model->depth > depth) {
        model_closed(model);
    }
}

// ---------------------------------------------------------------------- Misuse

// What is tried: set up, and then done, by the same random numbers.
struct attempt {
    struct model *model;
    struct model_block *block, *other;
    struct page *page, *gone; // one in use, one that is not
    unsigned index;
    uintptr_t address;
};

// How many of a block's mappings are local brackets.
static unsigned bracket_users(const struct model *model,
                              const struct model_block *block)
{
    unsigned users = 0;
    for (unsigned i = 0; i < model->depth; i++) {
        const struct model_map *map = &model->brackets[i];
        for (unsigned k = 0; k < map->count; k++) {
            users += &model->blocks[map->frames[k].block] == block;
        }
    }
    return users;
}

// A block that is open, if possible by nothing but brackets: each kind of
// mapping has to keep it by itself. With none open, one with a wrong order.
static void free_what_is_open(struct attempt *try)
{
    struct model *model = try->model;
    const struct model_block *block = try->block;
    for (unsigned i = 0; i < MODEL_BLOCKS; i++) {
        const struct model_block *other = &model->blocks[i];
        if (other->page != NULL && other->users != 0 &&
            other->users == bracket_users(model, other)) {
            block = other;
        }
    }
    // Where brackets open nothing, nobody looks for them.
    bool wrong_order = block->users == 0 || !engine_refuses();
    free_pages(block->page, block->order + wrong_order);
}

static void free_inside_or_twice(struct attempt *try)
{
    free_pages(try->index != 0 ? try->page : try->gone, 0);
}

// The address of a bracket, or one that was one, but not of the innermost.
static void unmap_wrongly(struct attempt *try)
{
    const struct model *model = try->model;
    uintptr_t address = try->address;
    if (model->depth > 1) {
        address = model->brackets[model->depth - 2].address;
    }
    if (model->depth > 0 &&
        model->brackets[model->depth - 1].address == address) {
        address += PAGE_SIZE / 2 + 1;
    }
    kunmap_local((void *)address);
}

static void kunmap_too_often(struct attempt *try)
{
    if (try->block->kmaps[try->index] == 0) {
        kunmap(try->page);
    } else {
        kunmap_range(try->gone, 1);
    }
}

static void vunmap_wrongly(struct attempt *try)
{
    const struct model_map *map = &try->model->areas[try->index % MODEL_AREAS];
    vunmap((void *)(map->address != 0 ? map->address + PAGE_SIZE - 1
                                      : try->address | 1));
}

static void map_what_is_free(struct attempt *try)
{
    struct page *pair[] = {try->page, try->gone};
    switch (try->index) {
    case 0:
        kmap_local_page(try->gone);
        break;
    case 1:
        (void)kmap(try->gone);
        break;
    case 2:
        kmap_local_pages_ro(pair, 2);
        break;
    case 3:
        (void)vmap(pair, 2, MAP_READ);
        break;
    default:
        kmap_local_range(try->gone, 8, 8);
        break;
    }
}

static void map_of_two_domains(struct attempt *try)
{
    struct page *pair[] = {try->block->page, try->other->page};
    kmap_local_pages(pair, try->block->domain != try->other->domain ? 2 : 0);
}

static void bad_arguments(struct attempt *try)
{
    phys_addr_t base = page_to_phys(try->page);
    switch (try->index) {
    case 0:
        (void)vmap_range(base + 8, 8, MAP_READ);
        break;
    case 1:
        (void)vmap_range(base, 0, MAP_READ);
        break;
    case 2:
        (void)vmap(&try->page, 1, MAP_WRITE);
        break;
    case 3:
        kmap_local_range_ro(try->page, 1, 0);
        break;
    case 4:
        memset_page(try->page, PAGE_SIZE - 3, 1, 4);
        break;
    case 5:
        memcpy_page(try->page, 0, try->page, 8, PAGE_SIZE);
        break;
    default:
        (void)kmap_range(try->page, 0);
        break;
    }
}

// From a frame in use to the next one that is free or of another domain.
static void range_too_far(struct attempt *try)
{
    struct model *model = try->model;
    phys_addr_t base = page_to_phys(try->page);
    size_t size = PAGE_SIZE;
    struct page *page;
    do {
        page = phys_to_page(base + size);
        size += PAGE_SIZE;
    } while (page != NULL && page_domain(page) == page_domain(try->page));
    size_t offset = model_random(model, size - PAGE_SIZE);
    size_t length = size - PAGE_SIZE - offset + 1;
    if (model_random(model, 2) == 0) {
        kmap_local_range(try->page, offset, length);
    } else {
        kmap_local_range_ro(try->page, offset, length);
    }
}

static void (*const attempts[])(struct attempt *) = {
    free_what_is_open,  free_inside_or_twice, unmap_wrongly,
    kunmap_too_often,   vunmap_wrongly,       map_what_is_free,
    map_of_two_domains, bad_arguments,        range_too_far,
};

static void attempt(void *argument)
{
    struct attempt *try = argument;
    unsigned kind = model_random(try->model, ARRAY_SIZE(attempts));
    attempts[kind](try);
}

// A frame that was given back and is not in use again; NULL: none is known.
static struct page *gone_choose(struct model *model)
{
    unsigned start = model_random(model, MODEL_DEAD);
    for (unsigned i = 0; i < MODEL_DEAD; i++) {
        uintptr_t address = model->dead[(start + i) % MODEL_DEAD];
        if (address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE) {
            struct page *page = phys_to_page(address - DIRECT_MAP_BASE);
            if (page_domain(page) == NULL) {
                return page;
            }
        }
    }
    return NULL;
}

void model_misuse(struct model *model)
{
    struct attempt try = {.model = model, .block = model_block(model)};
    struct fault fault;
    if (try.block == NULL || (try.gone = gone_choose(model)) == NULL) {
        return;
    }
    try.other = model_block(model);
    try.index = model_random(model, model_frames(try.block));
    try.page = try.block->page + try.index;
    try.address = (uintptr_t)page_direct_map_address(try.page) + 3;
    model_about(model, page_to_phys(try.page));
    if (run_protected(attempt, &try, &fault)) {
        model_fail(model, "a misuse goes through", try.address);
    } else if (fault.kind != FAULT_OTHER) {
        model_fail(model, "a misuse is a fault", fault.address);
    }
}
