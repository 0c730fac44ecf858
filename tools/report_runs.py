# SPDX-License-Identifier: MIT
#
# The runs that a report is made of: each engine, on how many CPUs, with how much
# memory, the tests of misuse, and the bugs that are planted. A run that goes
# wrong is part of the report, not its end.

import concurrent.futures
import os
import threading
import time

import benchlog
import escapes
import machine

CPUS = (1, 2, 4, 8)
MEMORIES = ("32M", "512M", "4G", "64G")
USUAL_MEMORY = "512M"
ON_CPUS = "kmap.pair_on_every_cpu,vmap.unmap_256_ipis,workload.cpus_*"
OF_MEMORY = "boot.*"
# Bugs that are planted; misuses, and what hostile callers do.
BUGS = escapes.SUITE + "*"
TESTS = ("misuse.*,misuse_maps.*,misuse_corners.*,hostile.*,"
         "heap_misuse.*,thread_misuse.*,audit.*,fault.*,kmap.*,pages.*,"
         "range.*,vmap.*,kmap_shared.*")
LIMIT_S = 300
DEBUG_KINDS = ("bugs", "tests")  # of runs of the debug kernel


class Run:
    """What to run, and what came of it. state: ok, not available or failed."""

    def __init__(self, engine, kind, cpus=1, memory=USUAL_MEMORY, globs=""):
        self.engine, self.kind = engine, kind
        self.cpus, self.memory, self.globs = cpus, memory, globs
        self.state, self.why, self.seconds = "ok", "", 0.0
        self.results, self.skipped, self.tests = [], {}, []

    @property
    def name(self):
        return f"{self.engine}-{self.kind}-{self.cpus}-{self.memory}"

    def data(self):
        return {"engine": self.engine, "kind": self.kind, "cpus": self.cpus,
                "memory": self.memory, "state": self.state, "why": self.why,
                "results": self.results, "skipped": self.skipped,
                "tests": [test.data() for test in self.tests]}

    def words(self):
        words = ["protect=" + self.engine, benchlog.SEED]
        if self.kind in DEBUG_KINDS:
            return " ".join(words + ["test=" + self.globs])
        return " ".join(words + ["bench=" + self.globs if self.globs
                                 else "bench"])


def first_runs(engines):
    """One for each engine; it tells whether the kernel has it."""
    return [Run(engine, "all") for engine in engines]


def more_runs(engine):
    return [Run(engine, "cpus", cpus=n, globs=ON_CPUS)
            for n in CPUS if n > 1] + \
        [Run(engine, "memory", memory=m, globs=OF_MEMORY)
         for m in MEMORIES if m != USUAL_MEMORY] + \
        [Run(engine, "bugs", cpus=2, globs=BUGS),
         Run(engine, "tests", globs=TESTS)]


class Builds:
    """The folders of the kernels, and where consoles go."""

    def __init__(self, release, debug, logs, qemu="qemu-system-x86_64"):
        self.release, self.debug, self.logs = release, debug, logs
        self.qemu = qemu


def judge(run, text, status, timed_out):
    """Fill in a run from its console and how it ended."""
    run.why = benchlog.refusal(text) or ""
    if run.why:
        run.state = "not available"
        return
    try:
        run.results = benchlog.results(text)
    except benchlog.BenchError as error:
        run.state, run.why = "failed", str(error)
        return
    run.skipped = benchlog.skipped(text)
    run.tests = escapes.read(text)
    if timed_out:
        run.state, run.why = "failed", f"no end after {LIMIT_S} s"
    elif status not in (machine.STATUS_PASSED,
                        machine.STATUS_FAILED if run.kind == "bugs" else None):
        run.state, run.why = "failed", machine.status_name(status)


def execute(run, builds):
    debug = run.kind in DEBUG_KINDS
    extra = () if debug else benchlog.ICOUNT
    build = builds.debug if debug else builds.release
    target = machine.Machine(build, memory=run.memory, smp=str(run.cpus),
                             words=run.words(), qemu=builds.qemu, extra=extra)
    log = os.path.join(builds.logs, run.name + ".log")
    done = machine.run_captured(target, LIMIT_S, log)
    run.seconds = done.seconds
    judge(run, done.text(), done.status, done.timed_out)
    return run


class Progress:
    """One line for each run that has ended."""

    def __init__(self, total):
        self.lock, self.done, self.total = threading.Lock(), 0, total
        self.start = time.monotonic()

    def tell(self, run):
        with self.lock:
            self.done += 1
            what = f"{run.kind}, {run.cpus} CPU{'s' * (run.cpus > 1)}, " \
                   f"{run.memory}"
            state = "" if run.state == "ok" else f"  {run.state}: {run.why}"
            print(f"[{self.done}/{self.total}, "
                  f"{time.monotonic() - self.start:.0f} s] "
                  f"{run.engine}: {what}{state}", flush=True)


def execute_all(engines, builds, jobs):
    """All runs of all engines, in the order in which they are shown."""
    first = first_runs(engines)
    more = {run.engine: more_runs(run.engine) for run in first}
    progress = Progress(len(first) + sum(map(len, more.values())))

    def step(run):
        execute(run, builds)
        progress.tell(run)

    os.makedirs(builds.logs, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(step, first))
        there = [run for run in first if run.state != "not available"]
        progress.total -= sum(len(more[run.engine]) for run in first
                              if run not in there)
        rest = [run for one in there for run in more[one.engine]]
        list(pool.map(step, rest))
    return first + rest
