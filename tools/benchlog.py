# SPDX-License-Identifier: MIT
#
# Benchmarks as data: what a console says of them, and runs of a release kernel
# that make such consoles. One result is a dict, as in the line of JSON that the
# kernel prints (docs/reference/serial-protocol.md).

import csv
import io
import json
import re

import machine

ENGINES = ("pks", "exact", "open", "flip")
EVENTS = ("pkrs_writes", "pte_writes", "invlpg", "full_flushes",
          "shootdown_ipis", "cr0_writes")
# The TSC counts instructions then.
ICOUNT = ("-icount", "shift=0,sleep=off")
# So that what is random is the same in each run.
SEED = "seed=1"
LINE = re.compile(r"^bench (\{.*\})$", re.M)
SKIPPED = re.compile(r"^# (\S+): SKIP (.*)$", re.M)
COLUMNS = ("name", "engine", "cpus", "unit", "value", "min", "q1", "q3", "max",
           "n") + EVENTS
# A kernel that has no such engine, and a CPU that cannot carry it.
REFUSED = re.compile(r"Bail out! (protect=\w+: .*|this CPU has no .*)")


class BenchError(Exception):
    """A run that should have given results and did not; the text says why."""


def results(text):
    """The results on a console, in its order."""
    found = []
    for match in LINE.finditer(text):
        try:
            result = json.loads(match.group(1))
        except ValueError as error:
            raise BenchError(f"{match.group(0)}: {error}") from error
        missing = {"name", "unit", "value", "n", "engine", "cpus"} - set(result)
        if missing:
            raise BenchError(f"{match.group(0)}: no "
                             + ", ".join(sorted(missing)))
        found.append(result)
    return found


def csv_text(found, more=()):
    """Results as CSV, with further columns that they have."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS + tuple(more), restval="",
                            extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return out.getvalue()


def skipped(text):
    """{name: why} of those that could not run there."""
    return dict(SKIPPED.findall(text))


def refusal(text):
    """Why the kernel did not start with that engine, or None."""
    match = REFUSED.search(text)
    return match.group(1).strip() if match else None


def run(build, engine, globs="", smp="1", memory="512M", limit_s=300,
        qemu="qemu-system-x86_64", pmem=()):
    """The console of one run of benchmarks. BenchError: it went wrong, other
    than that the kernel has no such engine."""
    words = " ".join([f"protect={engine}", SEED,
                      f"bench={globs}" if globs else "bench"])
    target = machine.Machine(build, memory=memory, smp=str(smp), words=words,
                             qemu=qemu, extra=ICOUNT, pmem=pmem)
    done = machine.run_captured(target, limit_s)
    text = done.text()
    if done.timed_out:
        raise BenchError(f"{target.again()}: no end after {limit_s:g} s")
    if done.status != machine.STATUS_PASSED and not refusal(text):
        tail = "\n".join(text.splitlines()[-20:])
        raise BenchError(f"{target.again()}: "
                         f"{machine.status_name(done.status)}\n{tail}")
    return text
