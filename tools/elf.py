# SPDX-License-Identifier: MIT
#
# Just enough of ELF-64 and of DWARF's line programs (versions 2 to 5) to read
# a linked kernel: sections, symbols, and which line each address comes from.
# Shared by the tools; needs no binutils.

import struct

SHT_SYMTAB = 2
SHT_NOBITS = 8
STT_NOTYPE, STT_OBJECT, STT_FUNC = 0, 1, 2
SHF_ALLOC, SHF_EXECINSTR = 2, 4


class Section:
    def __init__(self, name, kind, flags, address, data, size, link):
        self.name, self.kind, self.flags = name, kind, flags
        self.address, self.data, self.size = address, data, size
        self.link = link


class Symbol:
    def __init__(self, name, address, size, kind, binding, section):
        self.name, self.address, self.size = name, address, size
        self.kind, self.is_global, self.section = kind, binding != 0, section


def text_at(data, offset):
    """The NUL-terminated string at offset."""
    return data[offset:data.index(b"\0", offset)].decode()


class Elf:
    def __init__(self, path):
        with open(path, "rb") as file:
            data = file.read()
        if data[:5] != b"\x7fELF\x02":
            raise SystemExit(f"{path}: not a 64-bit ELF file")
        table, = struct.unpack_from("<Q", data, 40)
        entry_size, count, names_index = struct.unpack_from("<HHH", data, 58)
        heads = [struct.unpack_from("<IIQQQQIIQQ", data, table + i * entry_size)
                 for i in range(count)]
        names_offset = heads[names_index][4]
        self.sections = []
        for head in heads:
            name, kind, flags, address, offset, size, link = head[:7]
            body = b"" if kind == SHT_NOBITS else data[offset:offset + size]
            self.sections.append(Section(text_at(data, names_offset + name),
                                         kind, flags, address, body, size,
                                         link))

    def section(self, name):
        """The section of that name, or None."""
        return next((s for s in self.sections if s.name == name), None)

    def symbols(self):
        """All symbols that belong to a section or are absolute."""
        found = []
        for table in self.sections:
            if table.kind != SHT_SYMTAB:
                continue
            names = self.sections[table.link].data
            for name, info, _, index, value, size in struct.iter_unpack(
                    "<IBBHQQ", table.data):
                if index == 0:
                    continue
                section = (self.sections[index]
                           if index < len(self.sections) else None)
                found.append(Symbol(text_at(names, name), value, size,
                                    info & 15, info >> 4, section))
        return found

    def lines(self):
        """Rows (address, file, line), sorted; line 0 ends a sequence."""
        section = self.section(".debug_line")
        if section is None:
            return []
        rows, offset = [], 0
        while offset < len(section.data):
            unit = LineUnit(section.data, offset, self.strings())
            rows += unit.rows()
            offset = unit.end
        # An end of one sequence sorts before a row at the same address.
        rows.sort(key=lambda row: (row[0], row[2] != 0))
        return rows

    def line_files(self, offset):
        """The files that the line table at this offset numbers."""
        return LineUnit(self.section(".debug_line").data, offset,
                        self.strings()).files

    def strings(self):
        """What the forms of strings refer to."""
        return {name: (self.section(name).data if self.section(name) else b"")
                for name in (".debug_str", ".debug_line_str")}


NUMBERS = {kind: struct.Struct("<" + kind) for kind in "bBHIQ"}


class Cursor:
    def __init__(self, data, offset):
        self.data, self.at = data, offset

    def take(self, layout):
        number = NUMBERS[layout]
        value, = number.unpack_from(self.data, self.at)
        self.at += number.size
        return value

    def uleb(self):
        data, at = self.data, self.at
        value, shift = data[at] & 0x7F, 7
        while data[at] & 0x80:
            at += 1
            value |= (data[at] & 0x7F) << shift
            shift += 7
        self.at = at + 1
        return value

    def sleb(self):
        start = self.at
        value = self.uleb()
        bits = 7 * (self.at - start)
        return value - (1 << bits) if value >> (bits - 1) & 1 else value

    def text(self):
        value = text_at(self.data, self.at)
        self.at += len(value.encode()) + 1
        return value

    def form(self, form, strings):
        """One attribute value of a version 5 table (DWARF 5, 7.5.6)."""
        if form == 0x08:
            return self.text()
        if form in (0x0E, 0x1F):
            name = ".debug_str" if form == 0x0E else ".debug_line_str"
            return text_at(strings[name], self.take("I"))
        sizes = {0x0B: "B", 0x05: "H", 0x06: "I", 0x07: "Q"}
        if form in sizes:
            return self.take(sizes[form])
        if form == 0x0F:
            return self.uleb()
        if form == 0x1E:
            self.at += 16
            return None
        raise SystemExit(f"DWARF: unknown form {form:#x} in a line table")


class LineUnit:
    """One line number program (DWARF 5, 6.2)."""

    def __init__(self, data, offset, strings):
        cursor = self.cursor = Cursor(data, offset)
        length = cursor.take("I")
        if length >= 0xFFFFFFF0:
            raise SystemExit("DWARF: 64-bit line tables are not supported")
        self.end = cursor.at + length
        self.version = cursor.take("H")
        if not 2 <= self.version <= 5:
            raise SystemExit(f"DWARF: line table of version {self.version}")
        if self.version >= 5:
            cursor.at += 2
        header_length = cursor.take("I")
        program = cursor.at + header_length
        self.min_length = cursor.take("B")
        if self.version >= 4:
            cursor.take("B")
        cursor.take("B")
        self.line_base = cursor.take("b")
        self.line_range = cursor.take("B")
        self.opcode_base = cursor.take("B")
        self.operands = [cursor.take("B") for _ in range(self.opcode_base - 1)]
        if self.version >= 5:
            self.read_names_v5(strings)
        else:
            self.read_names_v2()
        cursor.at = program

    def read_names_v2(self):
        dirs = [""]
        while self.cursor.data[self.cursor.at]:
            dirs.append(self.cursor.text())
        self.cursor.at += 1
        self.files = [""]
        while self.cursor.data[self.cursor.at]:
            name = self.cursor.text()
            directory = self.cursor.uleb()
            self.cursor.uleb()
            self.cursor.uleb()
            self.files.append(join(dirs[directory], name))
        self.cursor.at += 1

    def read_names_v5(self, strings):
        tables = []
        for _ in range(2):
            formats = [(self.cursor.uleb(), self.cursor.uleb())
                       for _ in range(self.cursor.take("B"))]
            tables.append([
                {kind: self.cursor.form(form, strings)
                 for kind, form in formats}
                for _ in range(self.cursor.uleb())])
        dirs = [entry[1] for entry in tables[0]]
        self.files = [join(dirs[entry.get(2, 0)], entry[1])
                      for entry in tables[1]]

    def rows(self):
        found, cursor = [], self.cursor
        self.reset()
        while cursor.at < self.end:
            opcode = cursor.data[cursor.at]
            cursor.at += 1
            if opcode >= self.opcode_base:
                opcode -= self.opcode_base
                self.address += opcode // self.line_range * self.min_length
                self.line += self.line_base + opcode % self.line_range
                found.append(self.row())
            elif opcode == 0:
                self.extended(found)
            else:
                self.standard(opcode, found)
        return found

    def reset(self):
        self.address, self.file, self.line = 0, 1, 1

    def row(self):
        return (self.address, self.files[self.file], self.line)

    def extended(self, found):
        length = self.cursor.uleb()
        after = self.cursor.at + length
        opcode = self.cursor.take("B")
        if opcode == 1:
            found.append((self.address, "", 0))
            self.reset()
        elif opcode == 2:
            self.address = self.cursor.take("Q")
        self.cursor.at = after

    def standard(self, opcode, found):
        cursor = self.cursor
        if opcode == 1:
            found.append(self.row())
        elif opcode == 2:
            self.address += cursor.uleb() * self.min_length
        elif opcode == 3:
            self.line += cursor.sleb()
        elif opcode == 4:
            self.file = cursor.uleb()
        elif opcode == 8:
            self.address += ((255 - self.opcode_base) // self.line_range
                             * self.min_length)
        elif opcode == 9:
            self.address += cursor.take("H")
        else:
            for _ in range(self.operands[opcode - 1]):
                cursor.uleb()


def join(directory, name):
    """A file's path as the tree has it, without a leading './'."""
    path = name if name.startswith("/") else f"{directory}/{name}"
    parts = []
    for part in path.split("/"):
        if part in ("", ".") and not (part == "" and not parts
                                      and path.startswith("/")):
            continue
        if part == ".." and parts and parts[-1] not in ("", ".."):
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
