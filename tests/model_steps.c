// SPDX-License-Identifier: MIT
//
// Which step comes next.
#include "tests/model.h"

// Steps in which brackets open more often than they close, and then as many the
// other way round: so that they nest until every key is taken.
#define STEPS_OF_A_TIDE 200

static const struct {
    const char *name;
    unsigned weight[2]; // while brackets pile up, and while they go
    void (*run)(struct model *model);
} kinds[] = {
    {"create a domain", {6, 6}, model_create},
    {"destroy a domain", {2, 2}, model_destroy},
    {"alloc", {12, 12}, model_alloc},
    {"free", {10, 10}, model_free},
    {"copy", {6, 6}, model_copy},
    {"open a bracket", {24, 12}, model_open},
    {"close a bracket", {10, 24}, model_close},
    {"kmap", {8, 8}, model_kmap},
    {"kunmap", {8, 8}, model_kunmap},
    {"vmap", {8, 8}, model_vmap},
    {"vunmap", {8, 8}, model_vunmap},
    {"interrupt", {3, 3}, model_handler},
    {"abandon", {2, 2}, model_abandon},
    {"misuse", {5, 5}, model_misuse},
};

void model_step(struct model *model, uint64_t seed, uint32_t step)
{
    unsigned tide = step / STEPS_OF_A_TIDE % 2, weights = 0, kind = 0;
    model->random = seed + ((uint64_t)step << 32);
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        weights += kinds[i].weight[tide];
    }
    unsigned at = model_random(model, weights);
    while (at >= kinds[kind].weight[tide]) {
        at -= kinds[kind++].weight[tide];
    }
    model->log[model->steps % MODEL_LOG] =
        (struct model_log){step, kinds[kind].name, 0};
    model_fold(model, (uint64_t)step << 8 | kind);
    kinds[kind].run(model);
    model_fold_state(model);
    // What is looked at next does not depend on how far the step got.
    model->random = ~(seed + ((uint64_t)step << 32));
    model->steps++;
}
