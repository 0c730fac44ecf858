# SPDX-License-Identifier: MIT
#
# Benchmarks against a baseline: a CSV file of instructions and events, one line
# for each benchmark and engine. Pure data in, verdict out; never times.
#
# What is repeatable is compared: runs on one CPU with -icount, where nothing
# comes from outside. What counts in ticks, and what ran on several CPUs, where
# turns depend on the emulator, is left out.

import csv
import io

from benchlog import EVENTS

LIMIT = 0.02
# Counts are in thousandths, rounded: so much is no change.
LEAST = 0.002
COLUMNS = ("name", "engine", "unit", "value") + EVENTS
FIELDS = ("value",) + EVENTS


class BaselineError(Exception):
    """A file that is no baseline; the text says why."""


def repeatable(result):
    return result["cpus"] == 1 and result["unit"] != "ticks"


def rows(results):
    """{(name, engine): row} of all that is repeatable."""
    return {(r["name"], r["engine"]): {c: r[c] for c in COLUMNS if c in r}
            for r in results if repeatable(r)}


def read(text):
    """The rows of a file, and the compiler that it names."""
    lines = text.splitlines()
    compiler = ""
    if lines and lines[0].startswith("# "):
        compiler = lines.pop(0)[2:]
    reader = csv.DictReader(lines)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise BaselineError("want the columns " + ",".join(COLUMNS))
    table = {}
    for line in reader:
        try:
            row = {c: float(line[c]) for c in FIELDS if line[c] != ""}
        except (TypeError, ValueError) as error:
            raise BaselineError(f"{line}: {error}") from error
        row.update({c: line[c] for c in ("name", "engine", "unit")})
        key = row["name"], row["engine"]
        if key in table:
            raise BaselineError(f"{key[0]} under {key[1]} twice")
        table[key] = row
    return table, compiler


def number(value):
    return f"{value:.3f}".rstrip("0").rstrip(".")


def write(table, compiler):
    """The file's text: sorted, so that a change is a change of few lines."""
    out = io.StringIO()
    out.write(f"# {compiler}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for key in sorted(table):
        row = table[key]
        writer.writerow([number(row[c]) if c in FIELDS and c in row
                         else row.get(c, "") for c in COLUMNS])
    return out.getvalue()


class Change:
    """One number then and now. `kind` is same, changed, new or missing."""

    def __init__(self, key, field, was, now):
        self.name, self.engine = key
        self.field, self.was, self.now = field, was, now
        if was is None or now is None:
            self.kind = "new" if was is None else "missing"
        elif abs(now - was) <= LEAST or abs(now - was) <= LIMIT * abs(was):
            self.kind = "same"
        else:
            self.kind = "changed"

    @property
    def percent(self):
        if self.was is None or self.now is None or self.was == self.now:
            return ""
        if self.was == 0:
            return "from 0"
        return f"{100 * (self.now - self.was) / self.was:+.1f} %"


def compare(then, now):
    """What to show: the value of each benchmark, and every event that is not
    as it was."""
    changes = []
    for key in sorted(set(then) | set(now)):
        old, new = then.get(key, {}), now.get(key, {})
        for field in FIELDS:
            change = Change(key, field, old.get(field), new.get(field))
            # A benchmark that comes or goes is one line, not six.
            whole = not old or not new
            if field == "value" or not whole and change.was != change.now:
                changes.append(change)
    return changes


def good(changes):
    """Nothing is beyond the limit, either way, and nothing is gone: what got
    better is to be accepted, or it could get worse again unseen."""
    return all(change.kind in ("same", "new") for change in changes)
