# SPDX-License-Identifier: MIT
#
# What the tests of the tools share: results as TAP, the tree's root, a make that
# knows nothing of the make that runs the tests, and objects to begin with.

import os
import re
import shutil
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


def begin_build(variant, out, name):
    """Give a build in folder out the objects of a variant, if that is there.

    They depend on the same sources; make compiles again what is older than its
    source, or all if the flags differ. name is what that make will have as O.
    """
    made = os.path.join(VARIANTS, variant)
    if not os.path.isdir(os.path.join(made, "obj")):
        return
    for part in ("obj", "include"):
        shutil.copytree(os.path.join(made, part), os.path.join(out, part))
    shutil.copy2(os.path.join(made, "flags.stamp"), out)
    for folder, _, files in os.walk(os.path.join(out, "obj")):
        for path in (os.path.join(folder, file) for file in files
                     if file.endswith(".d")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            old = re.match(r"(\S*)/obj/", text)
            if old:
                text = text.replace(old[1] + "/", name + "/")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


def make(*arguments, folder=ROOT):
    """Run make; its exit status and all its output."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES",
                           "MAKELEVEL")}
    done = subprocess.run(["make", *arguments], cwd=folder, env=env,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout
