// SPDX-License-Identifier: MIT
//
// What a word on the shell's line means.
#include "kernel/lineedit.h"
#include "kernel/shell_internal.h"
#include "kernel/symbols.h"
#include "lib/number.h"
#include "lib/string.h"
#include "mm/layout.h"

bool shell_number(const char *text, uint64_t limit, uint64_t *out)
{
    uint64_t value;
    if (!number_parse(text, &value) || value > limit) {
        shell_error("%s: want a number up to %llu, such as 12, 0xc or 4K", text,
                    (unsigned long long)limit);
        return false;
    }
    *out = value;
    return true;
}

bool shell_address(const char *text, uintptr_t *out)
{
    char name[LINEEDIT_MAX];
    uint64_t offset = 0;
    if (number_parse(text, &offset)) {
        *out = offset;
        return true;
    }
    string_copy(name, sizeof(name), text);
    char *plus = strchr(name, '+');
    if (plus != NULL) {
        *plus = '\0';
    }
    if ((plus != NULL && !number_parse(plus + 1, &offset)) ||
        !symbol_address(name, out)) {
        shell_error("%s: want an address (0x...) or a function's name", text);
        return false;
    }
    *out += offset;
    return true;
}

uint64_t shell_physical(uintptr_t address)
{
    return address - DIRECT_MAP_BASE < DIRECT_MAP_SIZE
               ? address - DIRECT_MAP_BASE
               : address;
}
