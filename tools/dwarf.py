# SPDX-License-Identifier: MIT
#
# Just enough of DWARF 5 (.debug_info, as gcc and clang write it) to know which
# code of a linked kernel stands in line: of which function, and called where.
# Sections and line tables are tools/elf.py's. Units of other versions have no
# inlined code here.

import elf

TAG_LEXICAL_BLOCK, TAG_UNIT, TAG_INLINED, TAG_FUNCTION = 0x0B, 0x11, 0x1D, 0x2E
AT_SIBLING, AT_NAME, AT_STMT_LIST = 0x01, 0x03, 0x10
AT_LOW_PC, AT_HIGH_PC, AT_RANGES = 0x11, 0x12, 0x55
AT_ABSTRACT_ORIGIN, AT_SPECIFICATION = 0x31, 0x47
AT_DECL_FILE, AT_DECL_LINE, AT_CALL_FILE, AT_CALL_LINE = 0x3A, 0x3B, 0x58, 0x59
AT_STR_OFFSETS_BASE, AT_ADDR_BASE, AT_RNGLISTS_BASE = 0x72, 0x73, 0x74

# Forms by what they take in .debug_info (DWARF 5, 7.5.6).
FIXED = {0x01: 8, 0x05: 2, 0x06: 4, 0x07: 8, 0x0B: 1, 0x0C: 1, 0x0E: 4,
         0x10: 4, 0x11: 1, 0x12: 2, 0x13: 4, 0x14: 8, 0x17: 4, 0x19: 0,
         0x1E: 16, 0x1F: 4, 0x20: 8, 0x21: 0, 0x25: 1, 0x26: 2, 0x27: 3,
         0x28: 4, 0x29: 1, 0x2A: 2, 0x2B: 3, 0x2C: 4}
ULEB = {0x0D, 0x0F, 0x15, 0x1A, 0x1B, 0x22, 0x23}
BLOCKS = {0x0A: 1, 0x03: 2, 0x04: 4, 0x09: None, 0x18: None}
STRING = 0x08
FORM_ADDR, FORM_IMPLICIT, FORM_RNGLISTX = 0x01, 0x21, 0x23
FORMS_STRX = {0x1A, 0x25, 0x26, 0x27, 0x28}
FORMS_ADDRX = {0x1B, 0x29, 0x2A, 0x2B, 0x2C}
FORMS_REF = {0x11, 0x12, 0x13, 0x14, 0x15}


class Function:
    """What an inlined piece of code is a copy of."""

    def __init__(self, name, file, line):
        self.name, self.file, self.line = name, file, line


class Inlined:
    """Code in line: where, of which function, called from which line, and what
    stands in line in it."""

    def __init__(self, ranges, function, file, line):
        self.ranges, self.function = ranges, function
        self.file, self.line, self.inner = file, line, []


class Abbreviation:
    """A kind of entry: its attributes, and how to step over them at once."""

    def __init__(self, tag, has_inner, attributes):
        self.tag, self.has_inner, self.attributes = tag, has_inner, attributes
        self.sibling_at, self.size, self.steps = None, 0, []
        for name, form, _ in attributes:
            if name == AT_SIBLING and not self.steps and form == 0x13:
                self.sibling_at = self.size
            if form in FIXED and not self.steps:
                self.size += FIXED[form]
            else:
                self.steps.append(form)
        names = {name for name, _, _ in attributes}
        # Others hold no code, or none of their own.
        self.may_hold = tag in (TAG_UNIT, TAG_LEXICAL_BLOCK, TAG_INLINED) or (
            tag == TAG_FUNCTION and not names.isdisjoint(
                (AT_LOW_PC, AT_RANGES)))


def read_abbreviations(data, offset):
    cursor, found = elf.Cursor(data, offset), {}
    while code := cursor.uleb():
        tag, has_inner = cursor.uleb(), cursor.take("B")
        attributes = []
        while True:
            name, form = cursor.uleb(), cursor.uleb()
            value = cursor.sleb() if form == FORM_IMPLICIT else None
            if not form:
                break
            attributes.append((name, form, value))
        found[code] = Abbreviation(tag, has_inner, attributes)
    return found


def step_over(data, at, form):
    """The offset behind one attribute."""
    if form in FIXED:
        return at + FIXED[form]
    if form == STRING:
        return data.index(b"\0", at) + 1
    if form in ULEB:
        while data[at] & 0x80:
            at += 1
        return at + 1
    if form not in BLOCKS:
        raise SystemExit(f"DWARF: unknown form {form:#x} in .debug_info")
    cursor = elf.Cursor(data, at)
    length = (number(cursor, BLOCKS[form]) if BLOCKS[form] else cursor.uleb())
    return cursor.at + length


def number(cursor, size):
    cursor.at += size
    return int.from_bytes(cursor.data[cursor.at - size:cursor.at], "little")


class Sections:
    """The bodies of what .debug_info refers to; a missing one is empty."""

    def __init__(self, image):
        self.image, self.abbreviations = image, {}

        def body(name):
            section = image.section(name)
            return section.data if section else b""
        self.info, self.abbrev = body(".debug_info"), body(".debug_abbrev")
        self.strings, self.line_strings = (body(".debug_str"),
                                           body(".debug_line_str"))
        self.offsets = body(".debug_str_offsets")
        self.addresses, self.ranges = (body(".debug_addr"),
                                       body(".debug_rnglists"))

    def abbreviations_at(self, offset):
        if offset not in self.abbreviations:
            self.abbreviations[offset] = read_abbreviations(self.abbrev,
                                                            offset)
        return self.abbreviations[offset]


class Unit:
    """One compiled source."""

    def __init__(self, sections, offset):
        self.sections, self.start = sections, offset
        cursor = elf.Cursor(sections.info, offset)
        length = cursor.take("I")
        if length >= 0xFFFFFFF0:
            raise SystemExit("DWARF: 64-bit units are not supported")
        self.end = cursor.at + length
        self.version, self.kind = cursor.take("H"), cursor.take("B")
        cursor.at += 1
        if self.version != 5 or self.kind != 1:
            return
        self.table = sections.abbreviations_at(cursor.take("I"))
        self.first, self.functions = cursor.at, {}
        head, _, _ = self.entry(self.first)
        self.bases = {name: head.get(name, (0, 0))[1] for name in (
            AT_STR_OFFSETS_BASE, AT_ADDR_BASE, AT_RNGLISTS_BASE)}
        self.base = self.address(head[AT_LOW_PC]) if AT_LOW_PC in head else 0
        self.files = (sections.image.line_files(head[AT_STMT_LIST][1])
                      if AT_STMT_LIST in head else [])

    def entry(self, offset):
        """({attribute: (form, value)}, abbreviation, offset behind it)."""
        cursor = elf.Cursor(self.sections.info, offset)
        abbreviation = self.table[cursor.uleb()]
        found = {}
        for name, form, value in abbreviation.attributes:
            after = step_over(cursor.data, cursor.at, form)
            if form in FIXED and form != FORM_IMPLICIT:
                value = number(cursor, FIXED[form])
            elif form in ULEB:
                value = cursor.uleb()
            elif form == STRING:
                value = cursor.text()
            found[name] = (form, value)
            cursor.at = after
        return found, abbreviation, cursor.at

    def indexed(self, section, base, index, size):
        at = base + index * size
        return int.from_bytes(section[at:at + size], "little")

    def address(self, attribute):
        form, value = attribute
        return self.address_at(value) if form in FORMS_ADDRX else value

    def address_at(self, index):
        return self.indexed(self.sections.addresses, self.bases[AT_ADDR_BASE],
                            index, 8)

    def string(self, attribute):
        form, value = attribute
        if form == STRING:
            return value
        if form == 0x1F:
            return elf.text_at(self.sections.line_strings, value)
        if form in FORMS_STRX:
            value = self.indexed(self.sections.offsets,
                                 self.bases[AT_STR_OFFSETS_BASE], value, 4)
        return elf.text_at(self.sections.strings, value)

    def file(self, attribute):
        """Of a file's number; "" if it is none of the line table."""
        index = attribute[1]
        return self.files[index] if index < len(self.files) else ""

    def function(self, reference):
        """The Function that an abstract origin refers to."""
        form, offset = reference
        if form not in FORMS_REF:
            return Function("?", "", 0)
        if offset not in self.functions:
            found, _, _ = self.entry(self.start + offset)
            for further in (AT_ABSTRACT_ORIGIN, AT_SPECIFICATION):
                if AT_NAME not in found and further in found:
                    self.functions[offset] = self.function(found[further])
                    return self.functions[offset]
            self.functions[offset] = Function(
                self.string(found[AT_NAME]) if AT_NAME in found else "?",
                self.file(found.get(AT_DECL_FILE, (0, 0))),
                found.get(AT_DECL_LINE, (0, 0))[1])
        return self.functions[offset]

    def ranges_of(self, found):
        """[(start, end)] of an entry's code."""
        if AT_RANGES in found:
            form, value = found[AT_RANGES]
            if form == FORM_RNGLISTX:
                base = self.bases[AT_RNGLISTS_BASE]
                value = base + self.indexed(self.sections.ranges, base, value,
                                            4)
            return [r for r in self.range_list(value) if r[0] < r[1]]
        if AT_LOW_PC not in found or AT_HIGH_PC not in found:
            return []
        start = self.address(found[AT_LOW_PC])
        form, end = found[AT_HIGH_PC]
        if form == FORM_ADDR or form in FORMS_ADDRX:
            end = self.address(found[AT_HIGH_PC])
        else:
            end += start
        return [(start, end)] if start < end else []

    def range_list(self, offset):
        """The entries of a list of ranges (DWARF 5, 7.25)."""
        cursor, base, found = (elf.Cursor(self.sections.ranges, offset),
                               self.base, [])
        while kind := cursor.take("B"):
            if kind == 1:
                base = self.address_at(cursor.uleb())
            elif kind == 5:
                base = cursor.take("Q")
            elif kind == 4:
                found.append((base + cursor.uleb(), base + cursor.uleb()))
            else:
                start = (cursor.take("Q") if kind in (6, 7)
                         else self.address_at(cursor.uleb()))
                end = (start + cursor.uleb() if kind in (3, 7) else
                       cursor.take("Q") if kind == 6 else
                       self.address_at(cursor.uleb()))
                found.append((start, end))
        return found

    def inlined(self):
        """[Inlined] that stand directly in the functions of this unit."""
        data, table, at, end = (self.sections.info, self.table, self.first,
                                self.end)
        outer = []
        # What stands around the entry at hand: where inlined code belongs.
        around = [outer]
        while at < end and around:
            offset, code = at, data[at]
            at += 1
            if code == 0:
                around.pop()
                continue
            if code & 0x80:
                cursor = elf.Cursor(data, offset)
                code, at = cursor.uleb(), cursor.at
            kind = table[code]
            inner = around[-1]
            if kind.tag == TAG_INLINED:
                inner, at = self.add(offset, inner)
            elif (kind.sibling_at is not None and kind.has_inner
                  and not kind.may_hold):
                at += kind.sibling_at
                at = self.start + int.from_bytes(data[at:at + 4], "little")
                continue
            else:
                at += kind.size
                for form in kind.steps:
                    at = step_over(data, at, form)
            if kind.has_inner:
                around.append(inner)
        return outer

    def add(self, offset, around):
        """Read an inlined piece; where what it has in line belongs, and the
        offset behind it."""
        found, _, after = self.entry(offset)
        new = Inlined(self.ranges_of(found),
                      self.function(found[AT_ABSTRACT_ORIGIN]),
                      self.file(found.get(AT_CALL_FILE, (0, 0))),
                      found.get(AT_CALL_LINE, (0, 0))[1])
        around.append(new)
        return new.inner, after


def inlined(image):
    """[Inlined] of all functions; [] without debug information."""
    sections, found, offset = Sections(image), [], 0
    while offset < len(sections.info):
        unit = Unit(sections, offset)
        if unit.version == 5 and unit.kind == 1:
            found += unit.inlined()
        offset = unit.end
    return found
