# SPDX-License-Identifier: MIT
#
# What the tests of the tools share: results as TAP, the tree's root, and a
# make that knows nothing of the make that runs the tests.

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
TOOLS = os.path.join(ROOT, "tools")
BUILD = os.environ.get("KEYHOLE_BUILD", os.path.join(ROOT, "build"))
VARIANTS = os.path.join(BUILD, "variant")
sys.path.insert(0, TOOLS)


class Tap:
    """Counts results; done() prints the plan and exits."""

    def __init__(self):
        self.count, self.failures = 0, 0

    def ok(self, condition, name, *notes):
        self.count += 1
        self.failures += not condition
        print(f"{'ok' if condition else 'not ok'} {self.count} - {name}")
        if not condition:
            for note in notes:
                for line in str(note).splitlines():
                    print(f"# {line}", file=sys.stderr)
        sys.stdout.flush()
        return condition

    def equal(self, got, want, name):
        return self.ok(got == want, name, f"got  {got!r}", f"want {want!r}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failures else 0)


def make(*arguments, folder=ROOT):
    """Run make; its exit status and all its output."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES",
                           "MAKELEVEL")}
    done = subprocess.run(["make", *arguments], cwd=folder, env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout
