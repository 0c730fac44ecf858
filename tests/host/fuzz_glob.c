// SPDX-License-Identifier: MIT
//
// The input is a pattern, a line feed, and a text. The oracle is a table of
// which prefixes match which.

#include "lib/glob.h"
#include "tests/host/fuzz.h"

#define LONGEST 64

static bool oracle(const char *pattern, const char *text)
{
    static bool match[LONGEST + 1][LONGEST + 1];
    size_t m = strlen(pattern);
    size_t n = strlen(text);

    for (size_t i = 0; i <= m; i++) {
        for (size_t j = 0; j <= n; j++) {
            if (i == 0) {
                match[i][j] = j == 0;
            } else if (pattern[i - 1] == '*') {
                match[i][j] = match[i - 1][j] || (j > 0 && match[i][j - 1]);
            } else {
                match[i][j] =
                    j > 0 && match[i - 1][j - 1] &&
                    (pattern[i - 1] == '?' || pattern[i - 1] == text[j - 1]);
            }
        }
    }
    return match[m][n];
}

static bool list_oracle(char *list, const char *text)
{
    bool found = false;

    for (char *part = strtok(list, ","); part != NULL;
         part = strtok(NULL, ",")) {
        found |= oracle(part, text);
    }
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *pattern = fuzz_string(data, size);
    char *split = strchr(pattern, '\n');

    if (split != NULL) {
        const char *text = split + 1;

        *split = '\0';
        if (strlen(pattern) <= LONGEST && strlen(text) <= LONGEST) {
            FUZZ_ASSERT(glob_match(pattern, text) == oracle(pattern, text),
                        "the pattern");
            bool got = glob_list_match(pattern, text);

            FUZZ_ASSERT(got == list_oracle(pattern, text), "the list");
        }
    }
    free(pattern);
    return 0;
}
