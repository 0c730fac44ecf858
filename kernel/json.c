// SPDX-License-Identifier: MIT
//
// Strings of JSON: names are what people chose.
#include "kernel/json.h"

#include "keyhole.h"

void print_json_string(const char *text)
{
    printf("\"");
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\') {
            printf("\\");
        }
        printf((unsigned char)*text < ' ' ? "\\u%04x" : "%c", *text);
    }
    printf("\"");
}
