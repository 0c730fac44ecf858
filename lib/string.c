// SPDX-License-Identifier: MIT
//
// Bytes and strings. The block functions take short blocks in a few overlapping
// loads and stores, and long ones with `rep movsq` and `rep stosq`: eight bytes
// for each step, which is what counts under an emulator. (Hardware with ERMS
// takes whole cache lines either way.)

#include "lib/string.h"

typedef uint16_t __attribute__((may_alias, aligned(1))) unaligned16_t;
typedef uint32_t __attribute__((may_alias, aligned(1))) unaligned32_t;
typedef uint64_t __attribute__((may_alias, aligned(1))) unaligned64_t;

#define LOAD(type, p) (*(const type *)(p))
#define STORE(type, p, value) (*(type *)(p) = (value))

// Compilers turn a byte loop into a call of the very function that it is in.
// This keeps a loop a loop.
#define KEEP_LOOP() __asm__ volatile("" ::: "memory")

// `words` words of 8 bytes from the lowest address up.
static inline void copy_words_up(unsigned char *to, const unsigned char *from,
                                 size_t words)
{
#ifdef __x86_64__
    __asm__ volatile("rep movsq"
                     : "+D"(to), "+S"(from), "+c"(words)
                     :
                     : "memory");
#else
    for (; words > 0; words--, to += 8, from += 8) {
        STORE(unaligned64_t, to, LOAD(unaligned64_t, from));
        KEEP_LOOP();
    }
#endif
}

static inline void set_words(unsigned char *to, uint64_t value, size_t words)
{
#ifdef __x86_64__
    __asm__ volatile("rep stosq"
                     : "+D"(to), "+c"(words)
                     : "a"(value)
                     : "memory");
#else
    for (; words > 0; words--, to += 8) {
        STORE(unaligned64_t, to, value);
        KEEP_LOOP();
    }
#endif
}

// Up to 16 bytes. Every load comes before the first store, so that the two
// blocks may overlap.
static inline void copy_short(unsigned char *to, const unsigned char *from,
                              size_t len)
{
    if (len >= 8) {
        uint64_t head = LOAD(unaligned64_t, from);
        uint64_t tail = LOAD(unaligned64_t, from + len - 8);

        STORE(unaligned64_t, to, head);
        STORE(unaligned64_t, to + len - 8, tail);
    } else if (len >= 4) {
        uint32_t head = LOAD(unaligned32_t, from);
        uint32_t tail = LOAD(unaligned32_t, from + len - 4);

        STORE(unaligned32_t, to, head);
        STORE(unaligned32_t, to + len - 4, tail);
    } else if (len >= 2) {
        uint16_t head = LOAD(unaligned16_t, from);
        uint16_t tail = LOAD(unaligned16_t, from + len - 2);

        STORE(unaligned16_t, to, head);
        STORE(unaligned16_t, to + len - 2, tail);
    } else if (len == 1) {
        *to = *from;
    }
}

// More than 16 bytes, right whenever `to` is not inside the source block: the
// tail is loaded before the words can overwrite it.
static inline void copy_long_up(unsigned char *to, const unsigned char *from,
                                size_t len)
{
    uint64_t tail = LOAD(unaligned64_t, from + len - 8);

    copy_words_up(to, from, len / 8);
    STORE(unaligned64_t, to + len - 8, tail);
}

// More than 16 bytes, right whenever `to` is not below the source block. A loop
// and not `std; rep movsq`: that is slow on every CPU, and a handler that
// forgets `cld` would inherit the flag.
static inline void copy_long_down(unsigned char *to, const unsigned char *from,
                                  size_t len)
{
    uint64_t head = LOAD(unaligned64_t, from);

    for (; len > 8; len -= 8) {
        uint64_t word = LOAD(unaligned64_t, from + len - 8);

        STORE(unaligned64_t, to + len - 8, word);
        KEEP_LOOP();
    }
    STORE(unaligned64_t, to, head);
}

void *STRING_NAME(memcpy)(void *to, const void *from, size_t len)
{
    if (len <= 16) {
        copy_short(to, from, len);
    } else {
        copy_long_up(to, from, len);
    }
    return to;
}

void *STRING_NAME(memmove)(void *to, const void *from, size_t len)
{
    if (len <= 16) {
        copy_short(to, from, len);
    } else if ((uintptr_t)to - (uintptr_t)from >= len) {
        // Below the source (the difference wraps), or wholly above it.
        copy_long_up(to, from, len);
    } else {
        copy_long_down(to, from, len);
    }
    return to;
}

void *STRING_NAME(memset)(void *to, int value, size_t len)
{
    unsigned char *bytes = to;
    uint64_t word = 0x0101010101010101ull * (unsigned char)value;

    if (len >= 8) {
        set_words(bytes, word, len / 8);
        STORE(unaligned64_t, bytes + len - 8, word);
    } else if (len >= 4) {
        STORE(unaligned32_t, bytes, (uint32_t)word);
        STORE(unaligned32_t, bytes + len - 4, (uint32_t)word);
    } else if (len >= 2) {
        STORE(unaligned16_t, bytes, (uint16_t)word);
        STORE(unaligned16_t, bytes + len - 2, (uint16_t)word);
    } else if (len == 1) {
        *bytes = (unsigned char)value;
    }
    return to;
}

int STRING_NAME(memcmp)(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    while (len >= 8 && LOAD(unaligned64_t, x) == LOAD(unaligned64_t, y)) {
        x += 8;
        y += 8;
        len -= 8;
        KEEP_LOOP();
    }
    for (; len > 0; x++, y++, len--) {
        if (*x != *y) {
            return *x < *y ? -1 : 1;
        }
        KEEP_LOOP();
    }
    return 0;
}

size_t STRING_NAME(strlen)(const char *s)
{
    size_t len = 0;

    while (s[len] != '\0') {
        len++;
        KEEP_LOOP();
    }
    return len;
}

int STRING_NAME(strncmp)(const char *a, const char *b, size_t len)
{
    for (; len > 0; a++, b++, len--) {
        unsigned char x = (unsigned char)*a;
        unsigned char y = (unsigned char)*b;

        if (x != y) {
            return x < y ? -1 : 1;
        }
        if (x == '\0') {
            break;
        }
        KEEP_LOOP();
    }
    return 0;
}

int STRING_NAME(strcmp)(const char *a, const char *b)
{
    return STRING_NAME(strncmp)(a, b, SIZE_MAX);
}

char *STRING_NAME(strchr)(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (*s == '\0') {
            return NULL;
        }
        KEEP_LOOP();
    }
    return (char *)(uintptr_t)s;
}

size_t string_copy(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);

    if (size > 0) {
        size_t copied = MIN(len, size - 1);

        memcpy(to, from, copied);
        to[copied] = '\0';
    }
    return len;
}
