# SPDX-License-Identifier: MIT
#
# What a document tells its reader to do: a list of steps, in order. This is the
# one place that knows how commands stand in our documents.
#
#   ```sh             a script that succeeds; ```sh fails: one that does not
#   ```console        `$ ` is a command, `keyhole> ` what is typed at the shell,
#                     `(gdb) ` at GDB, the rest what they print, with `...` or
#                     `[...]` for what is left out
#   ```c file=PATH    a file to write; ```c linux: Linux's code, to be compiled
#   ```text           lines that the last command printed, in any order, with
#                     ... for what varies
#       make run      an indented line that starts with a command
#   `make run`        a command in running text or in a table
#   `suite.name`      a test or benchmark of the tree
#   [text](PATH)      a link to a file of the tree

import re

BLOCK = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$|"
                   r"^    ((?:make|\.ci/run|tools/)[^\n#]*)[^\n]*$|"
                   r"(?<!`)`(make\b[^`\n]*)`(?!`)|"
                   r"(?<![`\w])`([a-z]\w*\.[a-z0-9_]+)`|"
                   r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)", re.M | re.S)
# What asks for a line, and the line that is typed when there is no other.
PROMPTS = {"keyhole> ": "exit", "(gdb) ": "quit"}
FILE = re.compile(r"\.(c|h|md|asm|mk|cfg|pml)$")


class Step:
    """kind: sh, fails, console, file, linux, text, command, test, link or
    wrong; line: its number in the document; words: what stands behind the kind."""

    def __init__(self, kind, body, line, words=""):
        self.kind, self.body, self.line, self.words = kind, body, line, words

    def __repr__(self):
        return f"{self.kind} {self.words or self.body.strip()}"


def steps(text):
    for match in BLOCK.finditer(text):
        language, words, body, indented, inline, test, target = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        if language:
            yield block(language, words, body, line)
        elif test:
            if not FILE.search(test):
                yield Step("test", test, line)
        elif target:
            if not re.match(r"[a-z]+:|#", target):
                yield Step("link", target.partition("#")[0], line)
        else:
            command = " ".join((indented or inline).split())
            yield Step("command", command, line)


def block(language, words, body, line):
    if language == "c" and words.startswith("file="):
        return Step("file", body, line, words.removeprefix("file="))
    if language == "c" and words == "linux":
        return Step("linux", body, line)
    if language == "sh" and words in ("", "fails"):
        return Step(words or "sh", body, line)
    if language in ("console", "text") and not words:
        return Step(language, body, line)
    return Step("wrong", body, line, f"{language} {words}".strip())


def console(body):
    """The command of a console block, what is typed at prompts, and the
    pieces of output that must come one behind the other."""
    command, typed, pieces, piece = None, [], [], []
    for text in body.splitlines():
        if text.startswith("$ ") and command is None:
            command = text[2:]
        elif text.strip() in ("...", "[...]"):
            pieces.append(piece)
            piece = []
        else:
            piece.append(plain(text))
            for prompt in PROMPTS:
                if text.startswith(prompt):
                    typed.append(text.removeprefix(prompt))
    return command, typed, [p for p in pieces + [piece] if p]


def plain(text):
    """A line without what differs from run to run: numbers, padding."""
    text = re.sub(r"\b0x[0-9a-f]+\b|\d+(\.\d+)?", "#", text)
    return re.sub(r"\s+", " ", text).strip()


def find(pieces, output):
    """The first line that is not where it should be, or None."""
    lines, at = [plain(line) for line in output.splitlines()], 0
    for piece in pieces:
        best = 0
        for start in range(at, len(lines)):
            length = 0
            while length < len(piece) and lines[start + length:][:1] == \
                    [piece[length]]:
                length += 1
            best = max(best, length)
            if length == len(piece):
                at = start + length
                break
        else:
            return piece[min(best, len(piece) - 1)]
    return None


HEX = r"\b0x[0-9a-f]+\b"


def as_printed(typed, shown, output):
    """What a reader types who has `output` before him where the document
    shows `shown`: its addresses are those of the line that says the same."""
    addresses = {}
    for line in shown.splitlines():
        for real in output.splitlines():
            if plain(line) == plain(real):
                addresses.update(zip(re.findall(HEX, line),
                                     re.findall(HEX, real)))
                break
    return re.sub(HEX, lambda found: addresses.get(found[0], found[0]), typed)


def promised(line, output):
    pattern = ".*".join(re.escape(part) for part in line.split("..."))
    return re.search(pattern, output) is not None
