// SPDX-License-Identifier: MIT
//
// kernel/lineedit: what each key does to the line, and that the terminal shows
// the line after every single byte.

#include "kernel/lineedit.h"

#include "tests/host/tap.h"
#include "tests/host/terminal.h"

#define PROMPT "keyhole> "
#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"

static struct lineedit edit;
static struct terminal terminal;
static bool shown; // the terminal was right all the time

static const char *complete(void *context, const char *text, size_t word,
                            unsigned index)
{
    static const char *const commands[] = {"help", "mem",  "keys", "walk",
                                           "peek", "poke", "test", "free"};
    static const char *const names[] = {"kmap.nests", "kmap.order", "pks.all"};

    (void)context;
    if (word > 0) {
        return strncmp(text, "test ", 5) == 0 && index < 3 ? names[index]
                                                           : NULL;
    }
    return index < 8 ? commands[index] : NULL;
}

static void begin(void)
{
    terminal_init(&terminal);
    lineedit_init(&edit, PROMPT, terminal_write, complete, &terminal);
    lineedit_begin(&edit);
    shown = terminal_shows(&terminal, PROMPT, "", 0);
}

static enum lineedit_result type_bytes(const char *bytes, size_t count)
{
    enum lineedit_result result = LINEEDIT_MORE;

    for (size_t i = 0; i < count; i++) {
        result = lineedit_feed(&edit, bytes[i]);
        if (result == LINEEDIT_MORE) {
            shown &= terminal_shows(&terminal, PROMPT, edit.line, edit.cursor);
        }
    }
    return result;
}

static enum lineedit_result type(const char *keys)
{
    return type_bytes(keys, strlen(keys));
}

// A whole line, and the next begun.
static void enter(const char *text)
{
    type(text);
    type("\r");
    lineedit_begin(&edit);
}

#define CHECK_LINE(want_line, want_cursor)                                     \
    do {                                                                       \
        CHECK_STR(edit.line, want_line);                                       \
        CHECK_EQ(edit.cursor, want_cursor);                                    \
        CHECK(shown);                                                          \
    } while (0)

HOST_TEST(plain_typing)
{
    begin();
    CHECK(type("help") == LINEEDIT_MORE);
    CHECK_LINE("help", 4);
    CHECK(type("\r") == LINEEDIT_LINE);
    CHECK_STR(edit.line, "help");
    CHECK_STR(terminal.above, PROMPT "help");
}

HOST_TEST(cr_lf_and_crlf_end_one_line_each)
{
    begin();
    CHECK(type("a\r") == LINEEDIT_LINE);
    lineedit_begin(&edit);
    CHECK(type("\n") == LINEEDIT_MORE);
    CHECK(type("b\n") == LINEEDIT_LINE);
    CHECK_STR(edit.line, "b");
    lineedit_begin(&edit);
    CHECK(type("\n") == LINEEDIT_LINE);
    CHECK_STR(edit.line, "");
    lineedit_begin(&edit);
    CHECK(type("\r") == LINEEDIT_LINE);
    lineedit_begin(&edit);
    CHECK(type("\r") == LINEEDIT_LINE);
}

HOST_TEST(moving)
{
    begin();
    type("abcdef\x01");
    CHECK_LINE("abcdef", 0);
    type("\x02\x06\x06");
    CHECK_LINE("abcdef", 2);
    type("\x05\x06");
    CHECK_LINE("abcdef", 6);
    type(LEFT LEFT RIGHT "X");
    CHECK_LINE("abcdeXf", 6);
    type("\x1b[H" LEFT "\x1b[F" RIGHT "\x1bOH");
    CHECK_LINE("abcdeXf", 0);
    type("\x1bOF");
    CHECK_LINE("abcdeXf", 7);
    type("\x1b[1~");
    CHECK_LINE("abcdeXf", 0);
    type("\x1b[4~\x1b[7~\x1b[8~");
    CHECK_LINE("abcdeXf", 7);
}

HOST_TEST(deleting)
{
    begin();
    type("abcdef\x7f\b");
    CHECK_LINE("abcd", 4);
    type("\x01\x7f\x04\x1b[3~");
    CHECK_LINE("cd", 0);
    type("\x05\x04\x1b[3~");
    CHECK_LINE("cd", 2);
    type(LEFT "\b");
    CHECK_LINE("d", 0);
}

HOST_TEST(killing)
{
    begin();
    type("one two  three" LEFT LEFT "\x0b");
    CHECK_LINE("one two  thr", 12);
    type("\x17");
    CHECK_LINE("one two  ", 9);
    type("\x17");
    CHECK_LINE("one ", 4);
    type("two" LEFT "\x15");
    CHECK_LINE("o", 0);
    type("\x15\x17");
    CHECK_LINE("o", 0);
    type("\x0b\x0b");
    CHECK_LINE("", 0);
}

HOST_TEST(inserting_in_the_middle)
{
    begin();
    type("peek 0x1000" LEFT LEFT LEFT LEFT "ff");
    CHECK_LINE("peek 0xff1000", 9);
}

HOST_TEST(giving_up_and_ending)
{
    begin();
    type("abc");
    CHECK(type("\x03") == LINEEDIT_CANCEL);
    CHECK_STR(edit.line, "");
    lineedit_begin(&edit);
    CHECK(type(UP) == LINEEDIT_MORE);
    CHECK_LINE("", 0);
    CHECK(type("\x04") == LINEEDIT_EOF);
}

HOST_TEST(clearing_the_screen)
{
    begin();
    type("abc" LEFT "\x0c");
    CHECK_LINE("abc", 2);
}

HOST_TEST(history)
{
    begin();
    enter("first");
    enter("second");
    enter("second");
    enter("");
    type("mine" UP);
    CHECK_LINE("second", 6);
    type(UP);
    CHECK_LINE("first", 5);
    type(UP UP);
    CHECK_LINE("first", 5);
    type(DOWN);
    CHECK_LINE("second", 6);
    type("\x0e\x0e");
    CHECK_LINE("mine", 4);
    type("\x10!");
    CHECK_LINE("second!", 7);
    enter("");
    type(UP UP);
    CHECK_LINE("second", 6);
}

HOST_TEST(history_forgets_the_oldest)
{
    char text[16];

    begin();
    for (unsigned i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "line %u", i);
        enter(text);
    }
    for (unsigned i = 0; i < LINEEDIT_HISTORY; i++) {
        type(UP);
        snprintf(text, sizeof(text), "line %u", 39 - i);
        CHECK_STR(edit.line, text);
    }
    type(UP);
    CHECK_LINE("line 24", 7);
}

HOST_TEST(completion_of_a_single_candidate)
{
    begin();
    type("he\t");
    CHECK_LINE("help ", 5);
    begin();
    type("test pk\t");
    CHECK_LINE("test pks.all ", 13);
    begin();
    type("he x" LEFT LEFT "\t");
    CHECK_LINE("help x", 4);
}

HOST_TEST(completion_of_several_lists_them)
{
    begin();
    type("p\t");
    CHECK_LINE("p", 1);
    CHECK_STR(terminal.above, "peek  poke");
    begin();
    type("test k\t");
    CHECK_LINE("test kmap.", 10);
    CHECK_STR(terminal.above, "kmap.nests  kmap.order");
}

// A caller with as many words as a test wants, in the wrong order.
static unsigned words_count, words_length;

static const char *complete_many(void *context, const char *text, size_t word,
                                 unsigned index)
{
    static char words[4096][100];

    (void)context, (void)text, (void)word;
    if (index >= words_count) {
        return NULL;
    }
    snprintf(words[index], sizeof(words[index]), "w%0*u", (int)words_length - 1,
             words_count - 1 - index);
    return words[index];
}

static void begin_with_words(unsigned count, unsigned length)
{
    begin();
    words_count = count;
    words_length = length;
    edit.complete = complete_many;
    type("\t");
}

HOST_TEST(completion_lists_in_columns_sorted_downwards)
{
    begin_with_words(25, 8);
    // 8 columns of 8 and a gap of 2 on 79; so 4 rows, and this is the last.
    CHECK_STR(terminal.above,
              "w0000003  w0000007  w0000011  w0000015  w0000019  w0000023");
    CHECK_EQ(terminal.lines, 5);
    CHECK_EQ(terminal.widest, 68);
    CHECK_LINE("w00000", 6);
}

HOST_TEST(completion_lists_a_screenful_at_most)
{
    begin_with_words(4096, 38);
    // 2 columns of 20 rows.
    CHECK_STR(terminal.above, "... and 4056 more");
    CHECK_EQ(terminal.lines, 22);
    CHECK_EQ(terminal.widest, 78);
    begin_with_words(4096, 5);
    CHECK_STR(terminal.above, "... and 3936 more");
    CHECK(terminal.lines <= 22);
    CHECK(terminal.widest < 80);
    begin_with_words(160, 7); // all fit: 9 columns of 18 rows
    CHECK_EQ(terminal.lines, 19);
    CHECK_STR(terminal.row, PROMPT "w000");
}

HOST_TEST(completion_cuts_what_is_wider_than_the_screen)
{
    begin_with_words(2, 99);
    CHECK_EQ(terminal.lines, 3);
    CHECK_EQ(strlen(terminal.above), 79);
    CHECK_LINE(edit.line, 98);
}

static const char *complete_twice(void *context, const char *text, size_t word,
                                  unsigned index)
{
    static const char *const words[] = {"same", "", "same", "sane", "same"};

    (void)context, (void)word;
    return index < (strchr(text, '!') != NULL ? 5 : 3) ? words[index] : NULL;
}

HOST_TEST(completion_offers_a_word_once)
{
    begin();
    edit.complete = complete_twice;
    type("\t");
    CHECK_LINE("same ", 5);
    begin();
    edit.complete = complete_twice;
    type("! sa\t");
    CHECK_LINE("! sa", 4);
    CHECK_STR(terminal.above, "same  sane");
}

HOST_TEST(completion_of_nothing)
{
    begin();
    type("zz\t");
    CHECK_LINE("zz", 2);
    type("\x15peek \t");
    CHECK_LINE("peek ", 5);
    lineedit_init(&edit, PROMPT, terminal_write, NULL, &terminal);
    lineedit_begin(&edit);
    CHECK(type("he\t") == LINEEDIT_MORE);
    CHECK_STR(edit.line, "he");
}

HOST_TEST(a_full_line_takes_no_more)
{
    begin();
    for (unsigned i = 0; i < 300; i++) {
        type("x");
    }
    CHECK_EQ(edit.length, LINEEDIT_MAX - 1);
    CHECK_EQ(strlen(edit.line), LINEEDIT_MAX - 1);
    type("\x01y\x15");
    CHECK_EQ(edit.length, LINEEDIT_MAX - 1);
    type("\x05\x7f\x7f\x7f\x7f\x7f\x7f test k\t");
    CHECK_EQ(edit.length, LINEEDIT_MAX - 1);
    CHECK(shown);
    CHECK(type("\r") == LINEEDIT_LINE);
    lineedit_begin(&edit);
    type(UP);
    CHECK_EQ(edit.length, LINEEDIT_MAX - 1);
}

HOST_TEST(odd_bytes_do_nothing)
{
    begin();
    type("ab");
    type_bytes("\x00\xff\x80\x1c\x1d", 5);
    type("\x1b[5~\x1b[15~\x1b[1;5C\x1b[Z\x1bOP\x1bx\x1b[33~");
    CHECK_LINE("ab", 2);
    // A broken sequence does not swallow the return key.
    CHECK(type("\x1b[\r") == LINEEDIT_LINE);
}
