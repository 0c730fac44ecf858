# SPDX-License-Identifier: MIT
#
# The lines of functions for the kernel's table of symbols, whose format
# tools/symbols has.

# Reports about what these have in line are about the caller: its lines, and
# those of the instructions that they use, count as the line of the call.
TRANSPARENT = {"arch/spinlock.h", "mm/lock.h"}
INSTRUCTIONS = "arch/cpu.h"


def uleb(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sleb(value):
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def callers_only(rows):
    """The rows of a function without those that are about its callers, as far
    as the debug information does not say where the call is."""
    kept, run = [], []
    for row in rows + [(0, None, 0)]:
        if row[1] in TRANSPARENT or row[1] == INSTRUCTIONS:
            run.append(row)
            continue
        if not any(file in TRANSPARENT for _, file, _ in run):
            kept += run
        run = []
        kept.append(row)
    return kept[:-1]


def given_to_callers(rows, hidden, end):
    """The rows of a function that ends there; in each (start, end, file, line)
    of hidden, they are that line."""
    for first, behind, file, line in hidden:
        before = [row for row in rows if row[0] < first]
        inside = [row for row in rows if first <= row[0] < behind]
        after = [row for row in rows if row[0] >= behind]
        last = (inside or before or [(first, file, line)])[-1]
        if behind < end and not (after and after[0][0] == behind):
            after.insert(0, (behind, *last[1:]))
        rows = before + [(first, file, line)] + after
    return rows


class Lines:
    """Encodes the rows of one function after the other."""

    def __init__(self, rows):
        self.rows, self.at, self.files = rows, 0, {}

    def pick(self, start, end, hidden):
        """[(address, file, line)] of a function."""
        while (self.at + 1 < len(self.rows)
               and self.rows[self.at + 1][0] <= start):
            self.at += 1
        picked = []
        for at in range(self.at, len(self.rows)):
            address, file, line = self.rows[at]
            if address >= end:
                break
            address = max(address, start)
            if picked and picked[-1][0] == address:
                picked.pop()
            picked.append((address, file, line))
        picked = callers_only(given_to_callers(picked, hidden, end))
        return [row for before, row in zip([None] + picked, picked)
                if not before or before[1:] != row[1:]]

    def pack(self, address, rows):
        out, file, line = bytearray(), 0, 0
        for row_address, row_file, row_line in rows:
            index = file
            if row_line:
                index = self.files.setdefault(row_file, len(self.files))
            step, climb = row_address - address, row_line - line
            if index != file:
                out += b"\xf1" + uleb(index) + uleb(step) + sleb(climb)
            elif step < 16 and -4 <= climb < 11:
                out.append(step | climb + 4 << 4)
            else:
                out += b"\xf0" + uleb(step) + sleb(climb)
            address, file, line = row_address, index, row_line
        return bytes(out)
