// SPDX-License-Identifier: MIT
//
// Damage to the image of a store.

#include "tests/host/store_image.h"

#include <string.h>

#define BLOCK 16384u
#define PART 4096u // of block 0
#define SELECTOR_AT 0x1000u
#define HEADER_AT 0x0000u
#define SLOTS_AT 0x2000u
#define CHANGE_MAX 32u         // bytes, and fills stop where the image does
#define NUMBER_AT 8u           // of a node, and its generation
#define POLYNOMIAL 0x82f63b78u // CRC-32C, reflected

uint32_t image_crc32c(const void *bytes, size_t size)
{
    static uint32_t table[256];
    const uint8_t *at = bytes;
    uint32_t crc = ~0u;

    for (unsigned i = 0; table[255] == 0 && i < 256; i++) {
        table[i] = i;
        for (unsigned bit = 0; bit < 8; bit++) {
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? POLYNOMIAL : 0);
        }
    }
    for (size_t i = 0; i < size; i++) {
        crc = crc >> 8 ^ table[(crc ^ at[i]) & 0xff];
    }
    return ~crc;
}

static uint64_t load(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, at, size);
    return value;
}

// Where a change goes: a few bytes at the head of a block are as likely as all
// that follow.
static size_t place_of(const uint8_t *damage, size_t bytes)
{
    size_t block = damage[1] % (bytes / BLOCK);
    size_t offset = load(damage + 2, 2);

    offset = offset & 0x8000 ? offset % BLOCK : offset % 256;
    if (block == 0) {
        offset = (offset & 3) * PART + (offset >> 2) % 128;
    }
    size_t place = block * BLOCK + offset;
    return place < bytes - CHANGE_MAX ? place : bytes - CHANGE_MAX;
}

static void change(uint8_t *image, const uint8_t *older, size_t bytes,
                   const uint8_t *damage)
{
    size_t place = place_of(damage, bytes), rest = bytes - place;
    size_t other = damage[4] % (bytes / BLOCK) * BLOCK;
    size_t size = (size_t)1 << (damage[0] >> 4 & 3);

    switch (damage[0] % 8) {
    case 0: // a bit
        image[place] ^= (uint8_t)(1 << damage[4] % 8);
        break;
    case 1: // a number
        memcpy(image + place, damage + 4, size < 4 ? size : 4);
        break;
    case 2: // a number that is a little off
        image[place] = (uint8_t)(image[place] + (int8_t)damage[4]);
        break;
    case 3: // ones, or zeroes
        memset(image + place, damage[4] & 1 ? 0xff : 0, size);
        break;
    case 4: // a block's bytes in another one, or a write that never came
        memmove(image + place / BLOCK * BLOCK,
                damage[5] & 1 ? older + place / BLOCK * BLOCK : image + other,
                BLOCK);
        break;
    case 5: // the same, but it says that it belongs there
        memmove(image + place / BLOCK * BLOCK, image + other, BLOCK);
        memcpy(image + place / BLOCK * BLOCK + 8, &(uint64_t){place / BLOCK},
               8);
        break;
    case 6: // much of one byte
        memset(image + place, damage[4],
               load(damage + 5, 2) < rest ? load(damage + 5, 2) : rest);
        break;
    default: // bytes from elsewhere, an item over another one
        memmove(image + place, image + other + damage[5] * 8u, CHANGE_MAX);
    }
}

void store_image_damage(uint8_t *image, const uint8_t *older, size_t bytes,
                        const uint8_t *damage, size_t size)
{
    for (; size >= STORE_DAMAGE_SIZE; size -= STORE_DAMAGE_SIZE) {
        change(image, older, bytes, damage);
        damage += STORE_DAMAGE_SIZE;
    }
}

static void repair(uint8_t *image, const uint8_t *good, size_t at, size_t size)
{
    if (memcmp(image + at, good + at, size) != 0) {
        uint32_t crc = image_crc32c(image + at + 4, size - 4);
        memcpy(image + at, &crc, 4);
    }
}

static uint16_t selector_crc(const uint8_t *selector)
{
    return (uint16_t)image_crc32c(selector, 6);
}

void store_image_repair(uint8_t *image, const uint8_t *good, size_t bytes)
{
    uint16_t crc = selector_crc(image + SELECTOR_AT);

    memcpy(image + SELECTOR_AT + 6, &crc, 2);
    repair(image, good, HEADER_AT, PART);
    repair(image, good, SLOTS_AT, PART);
    repair(image, good, SLOTS_AT + PART, PART);
    for (size_t at = BLOCK; at < bytes; at += BLOCK) {
        repair(image, good, at, BLOCK);
    }
}

static bool is_part_forged(const uint8_t *image, const uint8_t *good, size_t at,
                           size_t size)
{
    return memcmp(image + at, good + at, size) != 0 &&
           load(image + at, 4) == image_crc32c(image + at + 4, size - 4);
}

bool store_image_is_forged(const uint8_t *image, const uint8_t *good,
                           size_t bytes)
{
    const uint8_t *selector = image + SELECTOR_AT;
    bool forged = is_part_forged(image, good, HEADER_AT, PART) ||
                  is_part_forged(image, good, SLOTS_AT, PART) ||
                  is_part_forged(image, good, SLOTS_AT + PART, PART) ||
                  (memcmp(selector, good + SELECTOR_AT, 8) != 0 &&
                   load(selector + 6, 2) == selector_crc(selector));

    for (size_t at = BLOCK; at < bytes && !forged; at += BLOCK) {
        forged =
            memcmp(image + at + NUMBER_AT, good + at + NUMBER_AT, 16) == 0 &&
            is_part_forged(image, good, at, BLOCK);
    }
    return forged;
}
