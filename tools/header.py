# SPDX-License-Identifier: MIT
#
# Reads the public header: its sections, the comment over each group of
# declarations, and the declarations. Also says what a comment lacks. Knows the
# style of one header, not the C language.
#
# A comment documents every declaration behind it up to the next empty line. A
# line `// ----...---- Title` starts a section; `// ---- text` (four dashes)
# starts a private part, which ends with the section. Names that begin or end
# with an underscore are private, and so is a macro with the name of a function
# that is declared already: that is how the call is made, not what it is.

import re

SECTION = re.compile(r"// -{10,} (\S.*)$")
PRIVATE = re.compile(r"// -{3,9} \S")
COMMENT = re.compile(r"//( ?)(.*)$")
TRAILING = re.compile(r"//.*$", re.M)
DEFINE = re.compile(r"#\s*define\s+(\w+)(\([^)]*\))?")
TYPE = re.compile(r"(struct|enum|union)\s+(\w+)\s*(?=[{;])")
CALL = re.compile(r"(\w+)\s*\(")
ATTRIBUTE = re.compile(r"\s*__attribute__\s*\(\(.*\)\)", re.S)

CONTEXT = re.compile(r"\b(any|thread|handler|NMI)( and handler)? context\b",
                     re.I)
# Which part of a page a sentence belongs to; the first that fits. The names are
# in the order in which a page shows them.
SORTING = (
    ("Misuse", re.compile(r"Misuse: (?=(\w))")),
    ("Return value", re.compile(r"(?=(Returns|NULL|True|False|Cannot fail)\b)")),
    ("Context", re.compile(r"(?=.*?" + CONTEXT.pattern + ")", re.I)),
    ("Description", re.compile("")),
)
PARTS = ("Description", "Context", "Return value", "Misuse")
# A parameter that is a number.
NUMBER = re.compile(r"\b(?:size_t|unsigned|int|uint64_t|phys_addr_t)\s+(\w+)"
                    r"(?=\s*[,)])")
HARDWARE = re.compile(r"#(PF|GP|DB|DF)\b|\bRFLAGS\b|\bCR\d\b|\bIA32_\w+")


class Entry:
    """One declaration. kind: function, macro, constant, struct, enum, union,
    typedef or variable; text: how it is written, without a macro's body."""

    def __init__(self, name, kind, text, line):
        self.name, self.kind, self.text, self.line = name, kind, text, line

    @property
    def callable(self):
        return self.kind in ("function", "macro")

    @property
    def members(self):
        """The names of an enum's constants."""
        if self.kind != "enum":
            return []
        body = TRAILING.sub("", self.text.partition("{")[2])
        return re.findall(r"\b([A-Z_][A-Z0-9_]*)\b", body)


class Group:
    """A comment (a list of paragraphs), and the declarations behind it."""

    def __init__(self, comment, entries):
        self.comment, self.entries = comment, entries

    @property
    def text(self):
        return " ".join(self.comment)

    def parts(self):
        """[(heading, paragraphs)]: every sentence is in exactly one part."""
        found = {heading: [] for heading in PARTS}
        for paragraph in self.comment:
            here = {heading: [] for heading in PARTS}
            for sentence in re.split(r"(?<=[.)])\s+(?=[A-Z`*])", paragraph):
                heading, match = next((h, m) for h, m in (
                    (h, begin.match(sentence)) for h, begin in SORTING) if m)
                rest = sentence[match.end():]
                here[heading].append(rest[:1].upper() + rest[1:])
            for heading, texts in here.items():
                if texts:
                    found[heading].append(" ".join(texts))
        return [(h, found[h]) for h in PARTS if found[h]]

    def summary(self):
        """The first clause, for an index."""
        first = re.split(r"[.;:](?=\s|$)", self.text)[0].replace("`", "")
        return first[:1].lower() + first[1:] \
            if first[1:2].islower() or first[1:2] == " " else first


class Section:
    def __init__(self, title):
        self.title, self.groups = title, []


class Reader:
    """Walks over the lines of a header once."""

    def __init__(self, text):
        self.lines, self.at = text.splitlines(), 0
        self.sections, self.problems = [Section("General")], []
        self.private, self.functions = False, set()

    def run(self):
        comment, entries = [], []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.startswith("//") and not entries:
                self.mark(line) or comment.append(line)
                self.at += 1
            elif not line.strip() or line.startswith("//"):
                self.close(comment, entries)
                comment, entries = [], []
                self.at += not line.strip()
            else:
                entry = self.declaration()
                if entry:
                    entries.append(entry)
        self.close(comment, entries)
        return [s for s in self.sections if s.groups], self.problems

    def mark(self, line):
        """Take a section's title or the start of a private part."""
        title = SECTION.match(line)
        if title:
            self.sections.append(Section(title.group(1)))
        self.private = not title and (self.private or
                                      bool(PRIVATE.match(line)))
        return title or PRIVATE.match(line)

    def close(self, comment, entries):
        if entries:
            self.sections[-1].groups.append(
                Group(paragraphs(comment), entries))

    def declaration(self):
        """The declaration that starts on this line; None: not a public one."""
        start, lines = self.at, []
        directive = self.lines[start].startswith("#")
        depth, body = 0, False
        while self.at < len(self.lines):
            line = self.lines[self.at]
            lines.append(line)
            self.at += 1
            code = TRAILING.sub("", line).rstrip()
            if directive:
                if not code.endswith("\\"):
                    break
                continue
            depth += code.count("{") - code.count("}")
            body = body or "{" in code
            if depth == 0 and (code.endswith(";") or
                               (body and code.endswith("}"))):
                break
        return self.judge("\n".join(lines), start + 1)

    def judge(self, text, line):
        entry = define(text, line) if text.startswith("#") \
            else declaration(text, line)
        if entry is None:
            if not text.startswith("#") and not self.private:
                self.problems.append((line, "cannot make sense of: "
                                      + text.splitlines()[0]))
            return None
        hidden = self.private or entry.name.startswith("_") \
            or entry.name.endswith("_") or entry.name in self.functions
        if hidden:
            return None
        if entry.kind == "function":
            self.functions.add(entry.name)
        return entry


def define(text, line):
    match = DEFINE.match(text)
    if not match:
        return None
    name, arguments = match.groups()
    if arguments:
        return Entry(name, "macro", name + arguments, line)
    return Entry(name, "constant", text, line)


def declaration(text, line):
    code = TRAILING.sub("", text)
    match = TYPE.match(code)
    if match:
        kind, name = match.groups()
        if re.search(r"\{\s*(\w[^;]*\bprivate_\w+;\s*)+\}", code):
            text = f"{kind} {name} {{ /* private */ }};"
        return Entry(name, kind, text, line)
    match = re.match(r"typedef\b.*?(\w+)\s*;", code, re.S)
    if match:
        return Entry(match.group(1), "typedef", code.strip(), line)
    plain = ATTRIBUTE.sub("", code.partition("{")[0]).strip()
    match = CALL.search(plain)
    if match:
        return Entry(match.group(1), "function", plain.rstrip(";") + ";", line)
    match = re.match(r"extern\b.*?(\w+)\s*(\[.*\])?;", plain, re.S)
    if match:
        return Entry(match.group(1), "variable", plain, line)
    return None


def paragraphs(lines):
    """The text of `//` lines; an empty one separates paragraphs."""
    texts = [COMMENT.match(line).group(2).strip() for line in lines]
    return [" ".join(p.split("\n"))
            for p in "\n".join(texts).strip().split("\n\n") if p]


def read(text):
    """The sections of a header, and what could not be read, as (line, why)."""
    return Reader(text).run()


def judge(sections):
    """What the comments lack, as (line, why)."""
    problems = []
    for section in sections:
        for group in section.groups:
            for why, entry in complaints(section, group):
                problems.append((entry.line, f"{entry.name}: {why}"))
    return problems


def complaints(section, group):
    text = group.text
    if not text:
        yield from (("no comment stands over it", e) for e in group.entries)
        return
    first = group.entries[0]
    if re.match(r"(the same|as above)\b", text, re.I):
        yield "its comment leans on the one before; say what it does", first
    if HARDWARE.search(text + " ".join(e.text for e in group.entries)) \
            and "SDM" not in text + " ".join(e.text for e in group.entries):
        yield "names hardware and no source (SDM volume and section)", first
    for entry in group.entries:
        if entry.callable and not CONTEXT.search(text):
            yield "its comment does not name the context (any, thread, " \
                "handler, NMI)", entry
        if entry.kind != "function" or "as in ISO C" in text:
            continue
        if pointer(entry) and not re.search(r"\bNULL\b|[Cc]annot fail", text):
            yield "returns a pointer; say when NULL, or that it cannot " \
                "fail", entry
        for name in NUMBER.findall(entry.text):
            if not re.search(rf"\b{name}\b", text):
                yield f"its comment does not say what {name} is", entry


def pointer(entry):
    return entry.text.split(entry.name, 1)[0].rstrip().endswith("*")
