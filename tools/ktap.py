# SPDX-License-Identifier: MIT
#
# Judge the console of one run: are the tests there that the plan promised, in
# order, and did the run end as it should? Pure text in, verdict out.

import re

import machine

RESULT = re.compile(r"^(ok|not ok) (\d+)(?: - (.*?))?(?: # (SKIP.*))?$")
PLAN = re.compile(r"^1\.\.(\d+)(?: # (SKIP.*))?$")
VERSION = re.compile(r"KTAP version 1$")


class Result:
    def __init__(self, passed, name, skip):
        self.passed, self.name, self.skip = passed, name, skip
        self.notes = []


class Verdict:
    """What a console said: its results, and what was wrong besides them."""

    def __init__(self):
        self.results = []
        self.problems = []

    @property
    def good(self):
        return not self.problems and all(r.passed for r in self.results)


class Console:
    """Reads the lines of one console."""

    def __init__(self, text):
        self.verdict = Verdict()
        self.started, self.plan, self.bail = False, None, None
        for line in text.splitlines():
            self.line(line.rstrip())

    def line(self, line):
        if "Bail out!" in line and self.bail is None:
            self.bail = line[line.index("Bail out!") + 9:].strip()
        elif VERSION.search(line):
            self.complain(self.started, "a second 'KTAP version 1'")
            self.started = True
        elif self.started:
            self.inside(line)

    def complain(self, condition, text):
        if condition:
            self.verdict.problems.append(text)

    def inside(self, line):
        plan, result = PLAN.match(line), RESULT.match(line)
        results = self.verdict.results
        if plan:
            self.complain(self.plan is not None, "a second plan")
            self.complain(bool(results), "the plan came behind a result")
            self.plan = int(plan.group(1))
        elif result:
            word, number, name, skip = result.groups()
            self.complain(self.plan is None and not results,
                          "a result came before the plan")
            results.append(Result(word == "ok", name or "(no name)", skip))
            self.complain(int(number) != len(results),
                          f"result {number} where {len(results)} was due")
        elif line.startswith("#") and results:
            results[-1].notes.append(line)


def skip_all(why):
    """The verdict on a machine that cannot be had here."""
    verdict = Verdict()
    verdict.results.append(Result(True, "all tests", f"SKIP {why}"))
    return verdict


def judge_tests(text, status, timed_out, limit_s, pattern=""):
    """The verdict on a run that must pass all its tests, and say a pattern."""
    console = Console(text)
    verdict, results = console.verdict, console.verdict.results
    problem = verdict.problems.append
    failed = any(not r.passed for r in results)
    if timed_out:
        problem(f"no end within {limit_s:g} s")
    if console.bail is not None:
        problem(f"panic: {console.bail}")
    if not console.started:
        problem("no 'KTAP version 1' on the console")
    elif console.plan is None:
        problem("no plan '1..N' on the console")
    elif console.plan == 0:
        problem("no test ran: the plan is 1..0")
    elif console.plan != len(results):
        problem(f"{len(results)} results where the plan has {console.plan}")
    if not re.search(pattern, text):
        problem(f"the console does not say {pattern!r}")
    want = machine.STATUS_FAILED if failed else machine.STATUS_PASSED
    if not timed_out and status != want:
        problem(f"exit status: {machine.status_name(status)}; want: "
                + machine.status_name(want))
    return verdict


def judge_panic(text, status, timed_out, limit_s, pattern):
    """The verdict on a run that must refuse with a message."""
    console = Console(text)
    verdict = Verdict()
    problem = verdict.problems.append
    if timed_out:
        problem(f"no end within {limit_s:g} s")
    if console.bail is None:
        problem("no 'Bail out!' on the console")
    if not re.search(pattern, text):
        problem(f"the console does not say {pattern!r}")
    if not timed_out and status != machine.STATUS_PANIC:
        problem(f"exit status: {machine.status_name(status)}; want: "
                + machine.status_name(machine.STATUS_PANIC))
    return verdict


def judge_session(status, timed_out, limit_s, missing, want):
    """The verdict on a run that a script talked to; want: its status."""
    verdict = Verdict()
    problem = verdict.problems.append
    if missing:
        problem(missing)
    if timed_out:
        problem(f"no end within {limit_s:g} s")
    elif status != want:
        problem(f"exit status: {machine.status_name(status)}; want: "
                + machine.status_name(want))
    return verdict
