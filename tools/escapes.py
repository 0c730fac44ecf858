# SPDX-License-Identifier: MIT
#
# What each engine catches, out of KTAP logs: the verdict of each test, and for
# planted bugs (tests/bugs) how the kernel caught them, and whom it blamed.

import json
import re

RESULT = re.compile(r"^(ok|not ok) \d+ - (\S+)(?: # SKIP ?(.*))?$")
FIRST_LINE = re.compile(
    r"^(?:FAULT|MISUSE): ([^,]*).*?, ([^,]* )?by (\w+) \(([^():]+):(\d+)\)"
    r"(?: in \w+)?$")
FOR_PROGRAMS = "fault {"
SUITE = "escape."
# A site that is not the guilty one's is named with what it is; this one is.
BLAMES = ("", "mapped ")


class Report:
    """The first line of a report. kind: as in struct fault, the exception if
    it is not a page fault, or misuse. late: it does not say who did it."""

    def __init__(self, line):
        match = FIRST_LINE.match(line)
        self.line, self.what, self.late, self.place = line, "", False, None
        self.kind = "misuse" if line.startswith("MISUSE") else "unknown"
        if match:
            self.what, site, function, file, number = match.groups()
            self.late = (site or "") not in BLAMES
            self.place = function, file, int(number)

    def add(self, line):
        """What is said for programs, of a fault."""
        fault = json.loads(line.removeprefix(FOR_PROGRAMS[:-1]))
        self.kind = fault["kind"] if fault["exception"] == "#PF" \
            else fault["exception"]

    def how(self):
        if self.kind != "misuse":
            return self.kind
        return ("late" if self.late else "misuse") + ", " + self.what


class Test:
    """verdict: ok, not ok or skip. how: what caught the bug, "" if nothing
    did, None if the test plants none. why: of a skip."""

    def __init__(self, name, verdict, how, why, report=None):
        self.name, self.verdict, self.how, self.why = name, verdict, how, why
        self.report = report

    def data(self):
        return {"name": self.name, "verdict": self.verdict, "how": self.how,
                "why": self.why}


def first_report(lines):
    """Of a console; None if there is none."""
    report = None
    for line in lines:
        line = line.rstrip()
        if report is None and line.startswith(("FAULT: ", "MISUSE: ")):
            report = Report(line)
            if report.kind == "misuse":
                break
        elif report and line.startswith(FOR_PROGRAMS):
            report.add(line)
            break
    return report


def read(text):
    """The tests of a console, in its order. Lines before a result are that
    test's (docs/reference/serial-protocol.md)."""
    tests, lines = [], []
    for line in text.splitlines():
        result = RESULT.match(line.rstrip())
        if not result:
            lines.append(line)
            continue
        word, name, why = result.groups()
        report, how = first_report(lines), None
        if name.startswith(SUITE):
            how = report.how() if report else ""
        tests.append(Test(name, "skip" if why is not None else word, how, why,
                          report))
        lines = []
    return tests


def cell(test):
    """One word for a table, and its class: caught, late, missed or unknown."""
    if test is None:
        return "did not run", "unknown"
    if test.verdict == "skip":
        return f"skipped: {test.why}", "unknown"
    if test.how == "":
        return "not caught", "missed"
    return test.how, "late" if test.how.startswith("late") else "caught"


def title(name):
    """A planted bug's name for people."""
    return name.removeprefix(SUITE).replace("_", " ")


def caught_of(tests):
    """How many of the planted bugs were caught, of how many that ran."""
    ran = [t for t in tests if t.how is not None and t.verdict != "skip"]
    return sum(1 for t in ran if t.how), len(ran)


def suites(tests):
    """{suite: (ok, failed, skipped)} of the tests that plant nothing."""
    table = {}
    for test in tests:
        suite = test.name.partition(".")[0]
        if test.name.startswith(SUITE):
            continue
        counts = table.setdefault(suite, [0, 0, 0])
        counts[("ok", "not ok", "skip").index(test.verdict)] += 1
    return {suite: tuple(counts) for suite, counts in table.items()}
