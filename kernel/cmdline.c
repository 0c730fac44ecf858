// SPDX-License-Identifier: MIT
//
// The boot command line: a table of words, each with the function that reads
// its value.

#include "kernel/cmdline.h"

#include "lib/format.h"
#include "lib/number.h"
#include "lib/string.h"

struct choice {
    const char *name;
    int value;
};

static const struct choice protect_choices[] = {
    {"pks", PROTECT_PKS},           {"exact", PROTECT_EXACT},
    {"open", PROTECT_OPEN},         {"flip", PROTECT_FLIP},
    {"auto", CMDLINE_PROTECT_AUTO},
};

static const struct choice fault_choices[] = {
    {"strict", false},
    {"relaxed", true},
};

static const struct choice effort_choices[] = {
    {"full", false},
    {"brief", true},
};

static const struct choice apic_choices[] = {
    {"auto", APIC_AUTO},
    {"xapic", APIC_XAPIC},
    {"x2apic", APIC_X2APIC},
};

static const struct choice trace_choices[] = {
    {"off", TRACE_OFF},
    {"on", TRACE_ON},
    {"dump", TRACE_DUMP},
    {"top", TRACE_TOP},
};

static const struct choice loglevel_choices[] = {
    {"error", LOG_ERROR},
    {"warn", LOG_WARN},
    {"info", LOG_INFO},
    {"debug", LOG_DEBUG},
    {"0", 0},
    {"1", 1},
    {"2", 2},
    {"3", 3},
    {"4", 4},
    {"5", 5},
    {"6", 6},
    {"7", 7},
};

// A value of a word is never longer in a message.
#define SHOWN_MAX 40

static void complain(struct cmdline *out, const char *word, const char *value,
                     const char *wanted)
{
    format_snprintf(out->error, sizeof(out->error), "%s%s%.*s: want %s", word,
                    value == NULL ? "" : "=", SHOWN_MAX,
                    value == NULL ? "" : value, wanted);
}

static bool choose(const struct choice *choices, size_t count,
                   const char *value, int *to)
{
    for (size_t i = 0; value != NULL && i < count; i++) {
        if (strcmp(value, choices[i].name) == 0) {
            *to = choices[i].value;
            return true;
        }
    }
    return false;
}

// Each reader takes the text behind `=`, or NULL if there is no `=`, and
// returns false if that will not do.

static bool read_protect(struct cmdline *out, const char *value)
{
    return choose(protect_choices, ARRAY_SIZE(protect_choices), value,
                  &out->protect);
}

static bool read_fault(struct cmdline *out, const char *value)
{
    int relaxed = false;
    bool known =
        choose(fault_choices, ARRAY_SIZE(fault_choices), value, &relaxed);

    out->fault_relaxed = relaxed;
    return known;
}

static bool read_test(struct cmdline *out, const char *value)
{
    out->test = true;
    out->test_globs = value;
    return value == NULL || *value != '\0';
}

static bool read_bench(struct cmdline *out, const char *value)
{
    out->bench = true;
    out->bench_globs = value;
    return value == NULL || *value != '\0';
}

static bool read_seed(struct cmdline *out, const char *value)
{
    out->seed_given = true;
    return value != NULL && number_parse(value, &out->seed);
}

static bool read_effort(struct cmdline *out, const char *value)
{
    int brief = false;
    bool known =
        choose(effort_choices, ARRAY_SIZE(effort_choices), value, &brief);

    out->brief = brief;
    return known;
}

static bool read_max_cpus(struct cmdline *out, const char *value)
{
    return value != NULL && number_parse(value, &out->max_cpus) &&
           out->max_cpus > 0;
}

static bool read_apic(struct cmdline *out, const char *value)
{
    int mode = APIC_AUTO;
    bool known = choose(apic_choices, ARRAY_SIZE(apic_choices), value, &mode);

    out->apic = (enum apic_mode)mode;
    return known;
}

static bool read_watchdog(struct cmdline *out, const char *value)
{
    out->watchdog_given = true;
    return value != NULL && number_parse(value, &out->watchdog) &&
           out->watchdog <= CMDLINE_WATCHDOG_MAX;
}

static bool read_trace(struct cmdline *out, const char *value)
{
    int mode = TRACE_OFF;
    bool known = choose(trace_choices, ARRAY_SIZE(trace_choices), value, &mode);

    out->trace = (enum trace_mode)mode;
    return known;
}

static bool read_loglevel(struct cmdline *out, const char *value)
{
    return choose(loglevel_choices, ARRAY_SIZE(loglevel_choices), value,
                  &out->loglevel);
}

struct word {
    const char *name;
    bool (*read)(struct cmdline *out, const char *value);
    const char *wanted; // what to say if `read` returns false
};

static const struct word words[] = {
    {"protect", read_protect, "pks, exact, open, flip or auto"},
    {"fault", read_fault, "strict or relaxed"},
    {"test", read_test, "nothing, or =NAME with * and ?, commas between"},
    {"bench", read_bench, "nothing, or =NAME with * and ?, commas between"},
    {"seed", read_seed, "a number"},
    {"effort", read_effort, "full or brief"},
    {"maxcpus", read_max_cpus, "a number from 1 up"},
    {"apic", read_apic, "auto, xapic or x2apic"},
    {"watchdog", read_watchdog, "seconds, 0 to 86400"},
    {"trace", read_trace, "on, off, dump or top"},
    {"loglevel", read_loglevel, "0 to 7, or error, warn, info or debug"},
};

static void note_ignored(const char *word, cmdline_note_fn note, void *context)
{
    char message[CMDLINE_ERROR_MAX];

    if (note != NULL) {
        format_snprintf(message, sizeof(message),
                        "unknown boot word ignored: %.*s", SHOWN_MAX, word);
        note(context, message);
    }
}

static bool take_word(struct cmdline *out, char *text, cmdline_note_fn note,
                      void *context)
{
    char *equals = strchr(text, '=');
    size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
    const char *value = equals == NULL ? NULL : equals + 1;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const struct word *word = &words[i];

        if (strlen(word->name) != length ||
            strncmp(word->name, text, length) != 0) {
            continue;
        }
        if (!word->read(out, value)) {
            complain(out, word->name, value, word->wanted);
            return false;
        }
        return true;
    }
    note_ignored(text, note, context);
    return true;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The next word at *cursor, terminated in place; NULL at the end.
static char *next_word(char **cursor)
{
    char *word = *cursor;
    char *end;

    while (is_space(*word)) {
        word++;
    }
    if (*word == '\0') {
        return NULL;
    }
    end = word;
    while (*end != '\0' && !is_space(*end)) {
        end++;
    }
    *cursor = end;
    if (*end != '\0') {
        *end = '\0';
        (*cursor)++;
    }
    return word;
}

static bool take_arguments(struct cmdline *out, char *cursor)
{
    for (char *word = next_word(&cursor); word != NULL;
         word = next_word(&cursor)) {
        if (out->argc == 1 + CMDLINE_ARGS_MAX) {
            format_snprintf(out->error, sizeof(out->error),
                            "--: want at most %d words", CMDLINE_ARGS_MAX);
            return false;
        }
        out->argv[out->argc++] = word;
    }
    return true;
}

bool cmdline_parse(struct cmdline *out, const char *line, cmdline_note_fn note,
                   void *context)
{
    char *cursor = out->line;
    char *word;

    memset(out, 0, sizeof(*out));
    out->protect = CMDLINE_PROTECT_AUTO;
    out->loglevel = LOG_INFO;
    out->trace = CMDLINE_TRACE_DEFAULT;
    out->argc = 1;
    if (string_copy(out->line, sizeof(out->line), line) >= sizeof(out->line) &&
        note != NULL) {
        note(context, "the command line was too long and is cut short");
    }
    word = next_word(&cursor);
    if (word != NULL && word[0] == '/') {
        word = next_word(&cursor);
    }
    for (; word != NULL; word = next_word(&cursor)) {
        if (strcmp(word, "--") == 0) {
            return take_arguments(out, cursor);
        }
        if (!take_word(out, word, note, context)) {
            return false;
        }
    }
    return true;
}
