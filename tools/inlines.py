# SPDX-License-Identifier: MIT
#
# The inlined code of functions for the kernel's table of symbols, whose format
# tools/symbols has.

import bisect

import dwarf
import rows

# Functions of these are none of a reader's business: the lines of what they
# have in line are their callers' (tools/symbols), so they are no frames.
CALLERS = rows.TRANSPARENT | {rows.INSTRUCTIONS}


def merged(ranges):
    """Sorted, and those that touch are one."""
    found = []
    for start, end in sorted(ranges):
        if found and start <= found[-1][1]:
            found[-1][1] = max(end, found[-1][1])
        else:
            found.append([start, end])
    return found


def apart_from(name, inlined):
    """Those of other functions: a compiler that splits a function in two and
    puts one part back in line says that it is in line in itself."""
    for piece in inlined:
        if piece.function.name == name:
            yield from apart_from(name, piece.inner)
        else:
            yield piece


def pieces(inlined, start, end):
    """(start, end, Inlined) of what lies there, sorted, without overlaps."""
    found = sorted(((max(a, start), min(b, end), piece) for piece in inlined
                    for a, b in merged(piece.ranges) if a < end and b > start),
                   key=lambda p: (p[0], -p[1]))
    apart, last = [], start
    for a, b, piece in found:
        if b > last:
            apart.append((max(a, last), b, piece))
            last = b
    return apart


class Inlines:
    """Encodes what stands in line in one function after the other."""

    def __init__(self, inlined, files):
        self.files, self.numbers, self.origins = files, {}, bytearray()
        self.hidden = []
        shown = self.without_callers(inlined)
        self.hidden.sort()
        self.outer = sorted(((a, b, piece) for piece in shown
                             for a, b in merged(piece.ranges)),
                            key=lambda p: p[:2])

    def without_callers(self, inlined):
        """Those that are frames; the code of others is noted as hidden."""
        shown = []
        for piece in inlined:
            if piece.function.file in CALLERS:
                self.hidden += [(a, b, piece.file, piece.line)
                                for a, b in merged(piece.ranges)]
            else:
                piece.inner = self.without_callers(piece.inner)
                shown.append(piece)
        return shown

    def hidden_in(self, start, end):
        """(start, end, file, line of the call) of what is no frame there."""
        at = bisect.bisect_left(self.hidden, (start,))
        found = []
        while at < len(self.hidden) and self.hidden[at][0] < end:
            a, b, file, line = self.hidden[at]
            found.append((a, min(b, end), file, line))
            at += 1
        return found

    def encode(self, start, end, name, picked):
        """Of a function with these rows."""
        at = bisect.bisect_left(self.outer, (start,), key=lambda p: p[:1])
        inside = []
        while at < len(self.outer) and self.outer[at][0] < end:
            inside.append(self.outer[at][2])
            at += 1
        # A piece is met once for each of its ranges.
        inside = list({id(piece): piece for piece in inside}.values())
        # A row without a line has no file in the table.
        _, file, line = picked[0] if picked and picked[0][2] else (0, None, 0)
        return self.pack(inside, start, end,
                         dwarf.Function(name, file, line))

    def pack(self, inlined, start, end, around):
        out, last = bytearray(), start
        for a, b, piece in pieces(apart_from(around.name, inlined), start,
                                  end):
            inner = self.pack(piece.inner, a, b, piece.function)
            other = piece.line != 0 and piece.file != around.file
            out += rows.uleb(a - last) + rows.uleb(b - a)
            out += rows.uleb(self.number(piece.function) << 2
                             | bool(inner) << 1 | other)
            if other:
                out += rows.uleb(self.file(piece.file))
            out += rows.sleb(piece.line - around.line)
            if inner:
                out += rows.uleb(len(inner)) + inner
            last = b
        return bytes(out)

    def file(self, name):
        return self.files.setdefault(name, len(self.files))

    def number(self, origin):
        """Of a function in the table of origins."""
        key = (origin.name, origin.file, origin.line)
        if key not in self.numbers:
            self.numbers[key] = len(self.numbers)
            self.origins += (rows.uleb(self.file(origin.file))
                             + rows.uleb(origin.line)
                             + origin.name.encode() + b"\0")
        return self.numbers[key]


def read(image, files):
    return Inlines(dwarf.inlined(image), files)
