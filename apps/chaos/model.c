// SPDX-License-Identifier: MIT
//
// What must be in the store.
#include "apps/chaos/chaos.h"

#define OBJECT_FIRST 256
#define KEYS_IN_OBJECT 64
#define TYPE 1
#define SIZE_USUAL 500
#define SIZE_LARGE 4000
#define LARGE_EVERY 16

struct model_key *model_keys, *model_snapshot;
unsigned model_count;
struct mutex model_lock = MUTEX("chaos model");

bool model_make(unsigned count)
{
    if (model_keys == NULL) {
        model_keys = kmalloc(count * sizeof(*model_keys));
        model_snapshot = kmalloc(count * sizeof(*model_snapshot));
    }
    if (model_keys == NULL || model_snapshot == NULL) {
        return false;
    }
    model_count = count;
    memset(model_keys, 0, count * sizeof(*model_keys));
    memset(model_snapshot, 0, count * sizeof(*model_snapshot));
    return true;
}

void model_key_of(unsigned number, struct store_key *key)
{
    *key = (struct store_key){
        .object = OBJECT_FIRST + number / KEYS_IN_OBJECT,
        .offset = number % KEYS_IN_OBJECT * PAGE_SIZE,
        .type = TYPE,
    };
}

unsigned model_number_of(const struct store_key *key)
{
    uint64_t object = key->object - OBJECT_FIRST;
    uint64_t place = key->offset / PAGE_SIZE;

    if (key->type != TYPE || key->offset % PAGE_SIZE != 0 ||
        place >= KEYS_IN_OBJECT || object > model_count / KEYS_IN_OBJECT) {
        return model_count;
    }
    uint64_t number = object * KEYS_IN_OBJECT + place;
    return number < model_count ? (unsigned)number : model_count;
}

// ---------------------------------------------------------------------- Values

// The first word says which value it is, the others follow from that.
static uint64_t head_of(unsigned number, uint32_t version)
{
    return (uint64_t)version << 32 | number;
}

static uint64_t state_of(uint64_t head)
{
    uint64_t state = (head ^ chaos.seed) * 0x9e3779b97f4a7c15ull;
    return state != 0 ? state : 1;
}

static size_t size_of(uint64_t *state, uint32_t version)
{
    size_t limit = version % LARGE_EVERY == 0 ? SIZE_LARGE : SIZE_USUAL;
    return sizeof(uint64_t) + chaos_random(state) % limit;
}

size_t model_value(unsigned number, uint32_t version, uint8_t *value)
{
    uint64_t word = head_of(number, version);
    uint64_t state = state_of(word);
    size_t size = size_of(&state, version);

    for (size_t at = 0; at < size; at += sizeof(word)) {
        memcpy(value + at, &word, MIN(sizeof(word), size - at));
        word = chaos_random(&state);
    }
    return size;
}

bool model_value_is(unsigned number, uint32_t version, const uint8_t *value,
                    size_t size)
{
    uint64_t word;

    if (size < sizeof(word)) {
        return false;
    }
    memcpy(&word, value, sizeof(word));
    if (version == 0) {
        version = (uint32_t)(word >> 32);
    }
    word = head_of(number, version);
    uint64_t state = state_of(word);
    if (size != size_of(&state, version)) {
        return false;
    }
    for (size_t at = 0; at < size; at += sizeof(word)) {
        if (memcmp(value + at, &word, MIN(sizeof(word), size - at)) != 0) {
            return false;
        }
        word = chaos_random(&state);
    }
    return true;
}
