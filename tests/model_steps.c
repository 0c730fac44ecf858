// SPDX-License-Identifier: MIT
//
// The steps: each does one call, and notes in the model what it means. A step
// that makes no sense now (nothing to free, no room) does nothing.
#include "mm/layout.h"
#include "tests/model.h"

static void dead_add(struct model *model, uintptr_t address)
{
    model->dead[model->dead_next++ % MODEL_DEAD] = address;
}

// What the step is about, for its line in the log.
static void about(struct model *model, uint64_t what)
{
    model->log[model->steps % MODEL_LOG].about = what;
}

static struct model_frame frame_of(const struct model *model,
                                   const struct model_block *block,
                                   unsigned index)
{
    return (struct model_frame){block - model->blocks, index};
}

// Note a mapping of consecutive frames of a block.
static void map_fill(struct model *model, struct model_map *map,
                     const struct model_block *block, unsigned first,
                     unsigned count)
{
    map->count = count;
    for (unsigned i = 0; i < count; i++) {
        map->frames[i] = frame_of(model, block, first + i);
    }
}

// One mapping more, or less, in the blocks of a map's frames.
static void map_count(struct model *model, const struct model_map *map, int by)
{
    for (unsigned i = 0; i < map->count; i++) {
        model->blocks[map->frames[i].block].users += by;
    }
}

// ---------------------------------------------------------- Domains and frames

static void step_create(struct model *model)
{
    unsigned number = 1 + model_random(model, MODEL_DOMAINS - 1);
    if (model->domains[number] == NULL) {
        model->domains[number] = domain_create("model");
        about(model, number);
    }
}

static void step_destroy(struct model *model)
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
    about(model, number);
}

// No frame is given to two.
static void block_check(struct model *model, const struct model_block *new)
{
    const struct page *end = new->page + BIT(new->order);
    if (page_domain(new->page) != model->domains[new->domain]) {
        model_fail(model, "frames of another domain", page_to_phys(new->page));
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

static void step_alloc(struct model *model)
{
    unsigned number = model_random(model, MODEL_DOMAINS);
    struct model_block *block =
        &model->blocks[model_random(model, MODEL_BLOCKS)];
    unsigned order = model_random(model, MODEL_ORDERS);
    if (model->domains[number] == NULL || block->page != NULL) {
        return;
    }
    struct page *page = alloc_pages(model->domains[number], order);
    if (page == NULL) {
        return; // little memory
    }
    *block = (struct model_block){page, order, number, .users = 0};
    about(model, page_to_phys(page));
    block_check(model, block);
}

static void step_free(struct model *model)
{
    struct model_block *block = model_block(model);
    if (block == NULL || block->users != 0) {
        return;
    }
    struct page *page = block->page + model_random(model, BIT(block->order));
    about(model, page_to_phys(block->page));
    free_pages(block->page, block->order);
    block->page = NULL;
    dead_add(model, (uintptr_t)page_direct_map_address(page));
    dead_add(model, KMAP_BASE + page_to_phys(page));
}

static void block_free(void *argument)
{
    struct model_block *block = argument;
    free_pages(block->page, block->order);
}

// A frame that is open anywhere cannot be freed.
static void step_free_open(struct model *model)
{
    struct model_block *block = model_block(model);
    if (block == NULL || block->users == 0) {
        return;
    }
    about(model, page_to_phys(block->page));
    if (run_protected(block_free, block, NULL)) {
        model_fail(model, "a frame was freed while open",
                   page_to_phys(block->page));
    }
}

// Write through the helper, which brackets for itself.
static void step_write(struct model *model)
{
    struct model_block *block = model_block(model);
    if (block == NULL) {
        return;
    }
    unsigned index = model_random(model, BIT(block->order));
    struct page *page = block->page + index;
    block->tag[index] = model_random(model, ~0ull);
    memcpy_to_page(page, model_place(page), &block->tag[index],
                   sizeof(block->tag[index]));
    about(model, page_to_phys(page));
}

// ------------------------------------------------------------- Local brackets

// Frames of one domain, some of them more than once.
static unsigned frames_choose(struct model *model,
                              const struct model_block *block,
                              struct model_map *map, struct page *pages[])
{
    unsigned count = 1 + model_random(model, MODEL_AREA_FRAMES);
    for (unsigned i = 0; i < count; i++) {
        const struct model_block *other = model_block(model);
        if (other->domain != block->domain) {
            other = block;
        }
        map->frames[i] =
            frame_of(model, other, model_random(model, BIT(other->order)));
        pages[i] = model_page(model, map->frames[i]);
    }
    map->count = count;
    return count;
}

static const void *local_open(struct model *model,
                              const struct model_block *block,
                              struct model_map *map)
{
    struct page *pages[MODEL_AREA_FRAMES];
    unsigned first = model_random(model, BIT(block->order));
    struct page *page = block->page + first;
    uint64_t size = PAGE_SIZE << block->order;
    size_t offset = model_random(model, size);
    size_t length = 1 + model_random(model, size - offset);
    switch (model_random(model, 3)) {
    case 0:
        map_fill(model, map, block, first, 1);
        return map->writable ? kmap_local_page(page) : kmap_local_page_ro(page);
    case 1:
        map_fill(model, map, block, offset / PAGE_SIZE,
                 (offset % PAGE_SIZE + length - 1) / PAGE_SIZE + 1);
        return map->writable ? kmap_local_range(block->page, offset, length)
                             : kmap_local_range_ro(block->page, offset, length);
    default:
        break;
    }
    unsigned count = frames_choose(model, block, map, pages);
    return map->writable ? kmap_local_pages(pages, count)
                         : kmap_local_pages_ro(pages, count);
}

static void step_open(struct model *model)
{
    const struct model_block *block = model_block(model);
    if (block == NULL || model->depth == MODEL_BRACKETS) {
        return;
    }
    struct model_map *map = &model->brackets[model->depth];
    map->writable = model_random(model, 2) != 0;
    map->address = (uintptr_t)local_open(model, block, map);
    model->depth++;
    map_count(model, map, 1);
    about(model, map->address);
}

static void step_close(struct model *model)
{
    if (model->depth == 0) {
        return;
    }
    struct model_map *map = &model->brackets[model->depth - 1];
    about(model, map->address);
    model_probe(model, map->address);
    kunmap_local((void *)map->address);
    model->depth--;
    map_count(model, map, -1);
    dead_add(model, map->address);
}

// ------------------------------------------------------------ For every thread

// What invalidations have been done, at least, in pages.
static uint64_t flushes(void)
{
    struct map_stats stats;
    map_stats_read(&stats);
    return stats.invlpg + stats.full_flushes * MODEL_AREA_FRAMES;
}

static void step_kmap(struct model *model)
{
    struct model_block *block = model_block(model);
    if (block == NULL) {
        return;
    }
    unsigned first = model_random(model, BIT(block->order));
    unsigned count = 1 + model_random(model, BIT(block->order) - first);
    struct page *page = block->page + first;
    void *address = count == 1 ? kmap(page) : kmap_range(page, count);
    if (address == NULL) {
        return;
    }
    if ((uintptr_t)address != KMAP_BASE + page_to_phys(page)) {
        model_fail(model, "kmap() gives another address", (uintptr_t)address);
    }
    for (unsigned i = 0; i < count; i++) {
        block->kmaps[first + i]++;
        block->users++;
    }
    about(model, page_to_phys(page));
}

static void step_kunmap(struct model *model)
{
    struct model_block *block = model_block(model);
    if (block == NULL) {
        return;
    }
    unsigned first = model_random(model, BIT(block->order)), count = 0;
    while (first + count < BIT(block->order) && block->kmaps[first + count]) {
        count++;
    }
    if (count == 0) {
        return;
    }
    count = 1 + model_random(model, count);
    struct page *page = block->page + first;
    uint64_t before = flushes(), last = 0;
    for (unsigned i = 0; i < count; i++) {
        model_probe(model, KMAP_BASE + page_to_phys(page + i));
        last += --block->kmaps[first + i] == 0;
        block->users--;
    }
    if (count == 1) {
        kunmap(page);
    } else {
        kunmap_range(page, count);
    }
    if (flushes() - before < last) {
        model_fail(model, "kunmap() without invalidation", page_to_phys(page));
    }
    dead_add(model, KMAP_BASE + page_to_phys(page + count - 1));
    dead_add(model, KMAP_BASE + page_to_phys(page));
    about(model, page_to_phys(page));
}

static void *area_open(struct model *model, struct model_map *map)
{
    struct page *pages[MODEL_AREA_FRAMES];
    unsigned prot = map->writable ? MAP_READ | MAP_WRITE : MAP_READ;
    struct model_block *block = model_block(model);
    if (model_random(model, 4) == 0) {
        unsigned first = model_random(model, BIT(block->order));
        map_fill(model, map, block, first,
                 1 + model_random(model, BIT(block->order) - first));
        return vmap_range(page_to_phys(block->page + first),
                          map->count * PAGE_SIZE, prot);
    }
    map->count = 1 + model_random(model, MODEL_AREA_FRAMES);
    for (unsigned i = 0; i < map->count; i++) {
        block = model_block(model);
        map->frames[i] =
            frame_of(model, block, model_random(model, BIT(block->order)));
        pages[i] = model_page(model, map->frames[i]);
    }
    return vmap(pages, map->count, prot);
}

static void step_vmap(struct model *model)
{
    struct model_map *map = &model->areas[model_random(model, MODEL_AREAS)];
    if (map->address != 0 || model_block(model) == NULL) {
        return;
    }
    map->writable = model_random(model, 2) != 0;
    map->address = (uintptr_t)area_open(model, map);
    if (map->address != 0) {
        map_count(model, map, 1);
        about(model, map->address);
    }
}

static void step_vunmap(struct model *model)
{
    struct model_map *map = &model->areas[model_random(model, MODEL_AREAS)];
    if (map->address == 0) {
        return;
    }
    uintptr_t last = map->address + (map->count - 1) * PAGE_SIZE;
    about(model, map->address);
    model_probe(model, map->address);
    model_probe(model, last);
    uint64_t before = flushes();
    vunmap((void *)map->address);
    if (flushes() - before < map->count) {
        model_fail(model, "vunmap() without invalidation", map->address);
    }
    dead_add(model, last);
    dead_add(model, map->address);
    map_count(model, map, -1);
    map->address = 0;
}

// ------------------------------------------------------------------ The choice

static const struct {
    const char *name;
    unsigned weight;
    void (*run)(struct model *model);
} kinds[] = {
    {"create a domain", 3, step_create},
    {"destroy a domain", 2, step_destroy},
    {"alloc", 12, step_alloc},
    {"free", 10, step_free},
    {"free what is open", 1, step_free_open},
    {"write", 6, step_write},
    {"open a bracket", 16, step_open},
    {"close a bracket", 18, step_close},
    {"kmap", 8, step_kmap},
    {"kunmap", 8, step_kunmap},
    {"vmap", 8, step_vmap},
    {"vunmap", 8, step_vunmap},
};

void model_step(struct model *model, uint64_t seed, uint32_t step)
{
    unsigned weights = 0, kind = 0;
    model->random = seed + ((uint64_t)step << 32);
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        weights += kinds[i].weight;
    }
    unsigned at = model_random(model, weights);
    while (at >= kinds[kind].weight) {
        at -= kinds[kind++].weight;
    }
    model->log[model->steps % MODEL_LOG] =
        (struct model_log){step, kinds[kind].name, 0};
    kinds[kind].run(model);
    model->steps++;
}
