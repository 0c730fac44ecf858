// SPDX-License-Identifier: MIT
//
// The input is a list of reports of 5 bytes, behind one byte that chooses the
// window: start and length in KiB (16 bits each), type. The map must agree with
// the model after all of them.

#include "tests/host/fuzz.h"
#include "tests/host/memory_model.h"

#define UNIT 1024u
#define REPORTS_MAX 600u // more would only be slower
#define UNITS (MODEL_FRAMES * MODEL_FRAME / UNIT)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct memory_map map;
    static struct memory_model model;
    const char *problem;

    if (size == 0) {
        return 0;
    }
    size = MIN(size, 1 + REPORTS_MAX * 5);
    memory_map_init(&map);
    memory_model_init(&model, data[0] % 2 == 0 ? 0 : MODEL_TOP);
    for (size_t i = 1; i + 5 <= size; i += 5) {
        uint64_t start = (data[i] | (unsigned)data[i + 1] << 8) % UNITS;
        uint64_t length = data[i + 2] | (unsigned)data[i + 3] << 8;
        enum memory_type type = 1 + data[i + 4] % MEMORY_BAD;
        uint64_t base = model.origin + start * UNIT;

        if (model.origin != 0 && length > 0xff00) {
            length = UINT64_MAX - data[i + 2]; // wraps
        } else {
            length = MIN(length, UNITS - start) * UNIT;
        }
        memory_map_add(&map, base, length, type);
        memory_model_add(&model, base, length, type);
    }
    problem = memory_model_compare(&model, &map);
    FUZZ_ASSERT(problem == NULL, problem);
    return 0;
}
