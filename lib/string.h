// SPDX-License-Identifier: MIT
//
// Bytes and strings. A freestanding build defines the C library's names here;
// on the host the C library keeps them and the same code is reachable, for
// tests, under names with the prefix keyhole_.
#pragma once

#include "lib/types.h"

#ifdef KEYHOLE_HOST
#include <string.h>
#define STRING_NAME(name) keyhole_##name
#else
#define STRING_NAME(name) name
#endif

// As in C11 7.24. All of them may be called in any context, interrupt and NMI
// handlers included; they use no SSE register and leave the direction flag.
void *STRING_NAME(memcpy)(void *to, const void *from, size_t len);
void *STRING_NAME(memmove)(void *to, const void *from, size_t len);
void *STRING_NAME(memset)(void *to, int value, size_t len);
int STRING_NAME(memcmp)(const void *a, const void *b, size_t len);
size_t STRING_NAME(strlen)(const char *s);
int STRING_NAME(strcmp)(const char *a, const char *b);
int STRING_NAME(strncmp)(const char *a, const char *b, size_t len);
char *STRING_NAME(strchr)(const char *s, int c);

// Copy the string `from` into the `size` bytes at `to`, shortened if need be
// and terminated in any case (size 0 writes nothing). Returns the length of
// `from`: the copy is whole if that is less than `size`.
size_t string_copy(char *to, size_t size, const char *from);
