// SPDX-License-Identifier: MIT
//
// An image of a store, from outside: damage by a list of bytes, and checksums
// made right again, so that what stands behind them is reached. Knows the
// format (docs/reference/store-format.md) by itself.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t image_crc32c(const void *bytes, size_t size);

// Change the image as the bytes say, STORE_DAMAGE_SIZE of them for each change.
// `older` is what it once was: for writes that never came.
#define STORE_DAMAGE_SIZE 8u
void store_image_damage(uint8_t *image, const uint8_t *older, size_t bytes,
                        const uint8_t *damage, size_t size);

// Make the checksum right of all that differs from `good`: of block 0's parts
// and of every other block.
void store_image_repair(uint8_t *image, const uint8_t *good, size_t bytes);

// Whether something that differs from `good` has a checksum that is right, and,
// if it is a node, number and generation: the store cannot know that it is not
// what was written.
bool store_image_is_forged(const uint8_t *image, const uint8_t *good,
                           size_t bytes);
