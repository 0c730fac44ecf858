// SPDX-License-Identifier: MIT
//
// Names against patterns, without recursion.

#include "lib/glob.h"

#include "lib/string.h"

// On a mismatch only the last star needs to take one character more: an earlier
// one could gain nothing that the last cannot.
static bool match(const char *pattern, const char *end, const char *text)
{
    const char *star = NULL;   // behind the last star
    const char *resume = NULL; // where the text went on after it

    while (*text != '\0') {
        if (pattern < end && *pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (pattern < end && (*pattern == '?' || *pattern == *text)) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (pattern < end && *pattern == '*') {
        pattern++;
    }
    return pattern == end;
}

bool glob_match(const char *pattern, const char *text)
{
    return match(pattern, pattern + strlen(pattern), text);
}

bool glob_list_match(const char *comma_list, const char *text)
{
    for (;;) {
        const char *end = comma_list;

        while (*end != '\0' && *end != ',') {
            end++;
        }
        if (end != comma_list && match(comma_list, end, text)) {
            return true;
        }
        if (*end == '\0') {
            return false;
        }
        comma_list = end + 1;
    }
}
