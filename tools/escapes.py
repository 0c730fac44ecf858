# SPDX-License-Identifier: MIT
#
# What each engine catches, out of KTAP logs: the verdict of each test, and for
# planted bugs (tests/test_escapes.c) how the kernel caught them.

import re

RESULT = re.compile(r"^(ok|not ok) \d+ - (\S+)(?: # SKIP ?(.*))?$")
CAUGHT = re.compile(r"^# caught: (.*)$")
MISSED = "# not caught"
SUITE = "escape."


class Test:
    """verdict: ok, not ok or skip. how: what caught the bug, "" if nothing
    did, None if the test does not say. why: of a skip."""

    def __init__(self, name, verdict, how, why):
        self.name, self.verdict, self.how, self.why = name, verdict, how, why

    def data(self):
        return {"name": self.name, "verdict": self.verdict, "how": self.how,
                "why": self.why}


def read(text):
    """The tests of a console, in its order. Lines before a result are that
    test's (docs/reference/serial-protocol.md)."""
    tests, how = [], None
    for line in text.splitlines():
        line = line.rstrip()
        result, caught = RESULT.match(line), CAUGHT.match(line)
        if caught:
            how = caught.group(1)
        elif line == MISSED:
            how = ""
        elif result:
            word, name, why = result.groups()
            verdict = "skip" if why is not None else word
            tests.append(Test(name, verdict, how, why))
            how = None
    return tests


def cell(test):
    """One word for a table, and its class: caught, missed or unknown."""
    if test is None:
        return "did not run", "unknown"
    if test.verdict == "skip":
        return f"skipped: {test.why}", "unknown"
    if test.verdict == "not ok":
        return "FAILED: should have been caught" if test.how == "" \
            else "FAILED", "failed"
    if test.how is None:
        return "ok", "caught"
    if test.how == "":
        return "not caught", "missed"
    return test.how, "caught"


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
