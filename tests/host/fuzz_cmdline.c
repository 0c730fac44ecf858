// SPDX-License-Identifier: MIT
//
// The input is the command line.

#include "boot/choose.h"
#include "kernel/cmdline.h"
#include "tests/host/fuzz.h"

static size_t noted;

static void note(void *context, const char *message)
{
    (void)context;
    noted += strlen(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct cmdline cmdline;
    char *line = fuzz_string(data, size);
    bool good = cmdline_parse(&cmdline, line, note, NULL);

    FUZZ_ASSERT(good == (cmdline.error[0] == '\0'), "error and result differ");
    FUZZ_ASSERT(cmdline.argc >= 1 && cmdline.argc <= 1 + CMDLINE_ARGS_MAX,
                "impossible argc");
    FUZZ_ASSERT(cmdline.argv[0] == NULL && cmdline.argv[cmdline.argc] == NULL,
                "argv is not terminated");
    for (int i = 1; i < cmdline.argc; i++) {
        FUZZ_ASSERT(strlen(cmdline.argv[i]) > 0 &&
                        strchr(cmdline.argv[i], ' ') == NULL,
                    "an argument that is not a word");
    }
    FUZZ_ASSERT(!good || (cmdline.loglevel >= 0 && cmdline.loglevel <= 7),
                "impossible loglevel");
    // Which kernel runs is chosen before the words are judged, by a line that
    // is cut already.
    FUZZ_ASSERT(!good || strlen(line) >= BOOT_CMDLINE_MAX ||
                    boot_wants_open(line) == (cmdline.protect == PROTECT_OPEN),
                "another kernel than the engine needs");
    free(line);
    return 0;
}
