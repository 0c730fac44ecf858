# SPDX-License-Identifier: MIT
#
# The list of mutants: read it, make the change that one asks for, and judge a
# run of the kernel that was built with it. The format is described at the head
# of run-mutants. Nothing is built or started here.

import fnmatch
import os
import re

import ktap
import machine

FOLDER = "tests/mutants"
ENDS = ("panic", "audit", "hang", "reset")
FIELDS = ("breaks", "file", "tests", "words", "memory", "cpus", "session",
          "program", "ends")
FAILED_CHECK = re.compile(r"(?m)^# (tests/\w+\.c:\d+: .*)$")
TEST = re.compile(r"^TEST\((\w+),\s*(\w+)\)", re.M)


class MutantError(Exception):
    """A list of mutants that cannot be read; the text says where and why."""


class Mutant:
    """One change, and what must notice it."""

    def __init__(self, name, place):
        self.name, self.place = name, place
        self.breaks = self.file = self.words = self.memory = None
        self.cpus = self.session = self.program = None
        self.tests, self.ends = [], []
        self.hunk = []       # (mark, line), mark one of " -+"

    def text(self, marks):
        return "".join(line + "\n" for mark, line in self.hunk if mark in marks)

    @property
    def old(self):
        return self.text(" -")

    @property
    def new(self):
        return self.text(" +")

    def apply(self, source):
        """The mutated text of the file; MutantError if that is not clear."""
        found = re.findall(f"(?m)^{re.escape(self.old)}", source)
        if len(found) != 1:
            raise MutantError(f"{self.place}: the old text is {len(found)} "
                              f"times in {self.file}, want once")
        return re.sub(f"(?m)^{re.escape(self.old)}", lambda _: self.new, source)

    def complete(self):
        """Raises MutantError if a part is missing."""
        missing = [field for field in ("breaks", "file")
                   if getattr(self, field) is None]
        ways = [way for way in (self.tests, self.session, self.program) if way]
        if not ways:
            missing.append("tests")
        if len(ways) > 1:
            raise MutantError(f"{self.place}: want one of tests, session and "
                              "program")
        if not any(mark in "-+" for mark, _ in self.hunk) or not self.old:
            missing.append("a change")
        if missing:
            raise MutantError(f"{self.place}: without {', '.join(missing)}")
        if self.old == self.new:
            raise MutantError(f"{self.place}: changes nothing")


def set_field(mutant, place, field, value):
    if field == "tests":
        mutant.tests += value.replace(",", " ").split()
    elif field == "ends":
        kind, _, pattern = value.partition(" ")
        if kind not in ENDS or bool(pattern) != (kind in ("panic", "audit")):
            raise MutantError(f"{place}: ends {value}: want panic REGEX, "
                              "audit REGEX, hang or reset")
        try:
            machine.check_regex(pattern, place)
        except machine.MachineError as error:
            raise MutantError(str(error)) from error
        mutant.ends.append((kind, pattern))
    elif getattr(mutant, field) is not None:
        raise MutantError(f"{place}: {field} again")
    else:
        setattr(mutant, field, value)


def parse(text, subject):
    """The mutants of one file; their names begin with its name."""
    mutants = []
    for number, line in enumerate(text.splitlines(), 1):
        place = f"{FOLDER}/{subject}:{number}"
        word, _, value = line.partition(" ")
        if not line.strip() or line.startswith("#"):
            continue
        if word == "mutant" and value:
            if mutants:
                mutants[-1].complete()
            mutants.append(Mutant(f"{subject}.{value.strip()}", place))
        elif mutants and line[0] in " -+":
            mutants[-1].hunk.append((line[0], line[1:]))
        elif mutants and word in FIELDS and value and not mutants[-1].hunk:
            set_field(mutants[-1], place, word, value.strip())
        else:
            raise MutantError(f"{place}: {line!r}: want 'mutant NAME', a field "
                              f"({', '.join(FIELDS)}) or ' ', '-', '+'")
    if mutants:
        mutants[-1].complete()
    return mutants


def read_all(root):
    """Every mutant of the tree, in the order of the files' names."""
    mutants = []
    folder = os.path.join(root, FOLDER)
    for subject in sorted(os.listdir(folder)):
        with open(os.path.join(folder, subject), encoding="utf-8") as file:
            mutants += parse(file.read(), subject)
    names = [mutant.name for mutant in mutants]
    for name in names:
        if names.count(name) > 1:
            raise MutantError(f"{FOLDER}: two mutants {name}")
    return mutants


def matching(mutants, globs):
    return [mutant for mutant in mutants
            if any(fnmatch.fnmatchcase(mutant.name, glob)
                   for glob in globs.split(","))]


def tests_of(root):
    """The names of all tests in the tree."""
    names, folder = [], os.path.join(root, "tests")
    for name in sorted(os.listdir(folder)):
        if name.endswith(".c"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                names += [".".join(test) for test in TEST.findall(file.read())]
    return names


def problems_of(mutant, root, tests):
    """What keeps a mutant from being tried; empty if nothing does."""
    problems = []
    try:
        path = os.path.join(root, mutant.file)
        with open(path, encoding="utf-8") as file:
            mutant.apply(file.read())
    except (MutantError, OSError) as error:
        problems.append(str(error))
    for glob in mutant.tests:
        if not fnmatch.filter(tests, glob):
            problems.append(f"{mutant.place}: no test {glob}")
    for path in (mutant.session and f"tests/sessions/{mutant.session}",
                 mutant.program):
        if path and not os.path.exists(os.path.join(root, path)):
            problems.append(f"{mutant.place}: no {path}")
    return problems


def end_is(end, run, verdict):
    """Whether a run in which no test failed ended in this way."""
    kind, pattern = end
    if kind == "hang":
        return run.timed_out or "Bail out! watchdog:" in run.text()
    if kind == "reset":
        return run.status == 0
    if kind == "panic":
        return (run.status == machine.STATUS_PANIC and
                re.search(pattern, run.text()) is not None)
    complaints = re.findall(r"(?m)^# audit: .*$", run.text())
    return (run.status == machine.STATUS_FAILED and bool(verdict.results) and
            any(re.search(pattern, line) for line in complaints))


def judge_program(status, output):
    """(caught, by what) of a program that prints TAP, run with the mutant."""
    failed = re.findall(r"(?m)^not ok \d+ - (.*)$", output)
    return status != 0 and bool(failed), "; ".join(failed) or "it passed"


def judge(mutant, run, session=None):
    """(caught, by what) of a run of the mutant; session is the script that
    talked to it, if there was one."""
    ended = (run.status, run.timed_out, run.limit_s)
    if session:
        verdict = ktap.judge_session(*ended, session.missing(), session.want)
        return bool(verdict.problems), "; ".join(verdict.problems)
    verdict = ktap.judge_tests(run.text(), *ended)
    failed = [result.name for result in verdict.results if not result.passed]
    if failed:
        return True, " ".join(failed)
    # A check that did not hold, and then the kernel died of what it found.
    complaint = FAILED_CHECK.search(run.text())
    if complaint:
        return True, complaint.group(1)
    for end in mutant.ends:
        if end_is(end, run, verdict):
            return True, " ".join(end).strip()
    return False, "; ".join(verdict.problems) or "every test passed"
