// SPDX-License-Identifier: MIT
//
// Scripts: lines for the shell in files that are part of the image. Each line
// is shown before it runs. A script ends at the first that is wrong, or when
// the shell is to end.
#include "kernel/lineedit.h"
#include "kernel/shell_internal.h"
#include "keyhole.h"
#include "lib/string.h"

#define NESTED_MAX 4

// Made by the build, one for each file; without a name behind the last.
struct script {
    const char *name;
    const char *text, *end;
};

extern const struct script shell_scripts[];

// Those that run, the innermost last.
static struct {
    const struct script *script;
    unsigned line;
} running[NESTED_MAX];
static unsigned depth;

const char *shell_script_name(unsigned index)
{
    return shell_scripts[index].name; // NULL, behind the last
}

void shell_script_where(char *out, size_t size)
{
    out[0] = '\0';
    if (depth > 0) {
        snprintf(out, size, "%s:%u: ", running[depth - 1].script->name,
                 running[depth - 1].line);
    }
}

static const struct script *script_find(const char *name)
{
    for (unsigned i = 0; shell_scripts[i].name != NULL; i++) {
        if (strcmp(shell_scripts[i].name, name) == 0) {
            return &shell_scripts[i];
        }
    }
    return NULL;
}

// Copy the line at `text`, without its end. Where the next begins; NULL: it is
// too long for the shell.
static const char *line_take(const char *text, const char *end, char *line)
{
    size_t length = 0;
    while (text + length < end && text[length] != '\n') {
        length++;
    }
    if (length >= LINEEDIT_MAX) {
        return NULL;
    }
    memcpy(line, text, length);
    line[length] = '\0';
    if (length > 0 && line[length - 1] == '\r') {
        line[length - 1] = '\0';
    }
    return MIN(text + length + 1, end);
}

static void script_run(const struct script *script)
{
    char line[LINEEDIT_MAX];
    running[depth].script = script;
    running[depth].line = 0;
    depth++;
    bool right = true;
    for (const char *at = script->text;
         right && at < script->end && !shell_is_done();) {
        running[depth - 1].line++;
        at = line_take(at, script->end, line);
        if (at == NULL) {
            shell_error("too long; at most %d characters", LINEEDIT_MAX - 1);
            break;
        }
        printf("%s> %s\n", script->name, line);
        right = shell_line_run(line);
    }
    depth--;
}

// The first line of a script, if it is a comment, says what it is for.
static void script_describe(const struct script *script)
{
    char line[LINEEDIT_MAX];
    bool comment =
        line_take(script->text, script->end, line) != NULL && line[0] == '#';
    printf("  %-16s %.60s\n", script->name,
           comment ? line + 1 + (line[1] == ' ') : "");
}

void shell_script(int argc, char **argv)
{
    if (argc == 1) {
        for (unsigned i = 0; shell_scripts[i].name != NULL; i++) {
            script_describe(&shell_scripts[i]);
        }
        return;
    }
    const struct script *script = script_find(argv[1]);
    if (script == NULL) {
        shell_error("%s: no such script; run lists them", argv[1]);
    } else if (depth == NESTED_MAX) {
        shell_error("scripts in scripts, more than %d deep", NESTED_MAX);
    } else {
        script_run(script);
    }
}
