# SPDX-License-Identifier: MIT
#
# GDB in a test: commands go in, what each printed comes out; and the kernel's
# shell beside it, on a socket.

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
import tap  # noqa: E402

import machine  # noqa: E402

LIMIT_S = 60
PRELUDE = """
set pagination off
set width 0
python
def say(command):
    print("@@ " + command)
    try:
        gdb.execute(command)
    except gdb.error as error:
        print("error:", error)
def say_walk():
    word = gdb.parse_and_eval("((char **)$rsi)[1]").string()
    say("pks walk " + word.partition(chr(0))[0])
end
"""
def variant(name):
    return os.path.join(tap.VARIANTS, name)


def line(path, text, after=""):
    """FILE:LINE of the first line of a source that has the text, behind
    another one that has the text `after`."""
    with open(os.path.join(tap.ROOT, path), encoding="utf-8") as file:
        code = file.read()
    at = code.index(text, code.index(after))
    return f"{path}:{code.count(chr(10), 0, at) + 1}"


def script(folder, commands):
    path = os.path.join(folder, "commands.gdb")
    with open(path, "w", encoding="utf-8") as file:
        file.write(PRELUDE)
        for command in commands:
            file.write("python say_walk()\n" if command == "walk" else
                       f"python say({command!r})\n")
    return path


def answers(output):
    """[(command, what it printed)] in order."""
    parts = re.split(r"^@@ (.*)\n", output, flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def of(said, command):
    """What the command printed, each time."""
    return [text for name, text in said if name == command]


def one(said, command):
    return (of(said, command) or ["(not reached)"])[0]


def run(command, folder, commands):
    done = subprocess.run(
        command + ["-batch", "-nx", "-x", script(folder, commands)],
        cwd=tap.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S + 5, check=False)
    return answers(done.stdout) or [("output", done.stdout)]


def debug(build, words, commands, serial=None, smp="1"):
    """What GDB says on a machine that has not begun to run."""
    with tempfile.TemporaryDirectory(prefix="gdb-") as folder:
        return run([os.path.join(tap.TOOLS, "run-gdb"), "--build", build,
                    "--limit", str(LIMIT_S),
                    "--words", words, "--smp", smp, "--serial",
                    serial or f"file:{folder}/console", "--"],
                   folder, commands + ["kill"])


class Shell:
    """Talks to the kernel's shell through a socket, beside GDB."""

    def __init__(self, path, session):
        self.path, self.text = path, ""
        self.session = machine.Session(session)
        self.thread = threading.Thread(target=self.talk)
        self.thread.start()

    def talk(self):
        connection = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + LIMIT_S
        while connection.connect_ex(self.path) != 0:
            if time.monotonic() > end:
                return
            time.sleep(0.02)
        while data := self.receive(connection):
            self.text += machine.clean(data.decode("utf-8", "replace"))
            self.session.advance(self.text, connection.sendall)
        connection.close()

    @staticmethod
    def receive(connection):
        try:
            return connection.recv(65536)
        except ConnectionError:
            return b""
