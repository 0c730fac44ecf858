# SPDX-License-Identifier: MIT
#
# A machine to run Keyhole on: the QEMU command line, one run with a time
# limit, and what QEMU's exit status says. Shared by run-qemu and run-tests.

import os
import re
import selectors
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

TOOLS = os.path.dirname(os.path.abspath(__file__))

# isa-debug-exit makes QEMU exit with (value << 1) | 1.
STATUS_PASSED, STATUS_FAILED, STATUS_PANIC = 0x21, 0x23, 0x25
STATUS_NAMES = {
    STATUS_PASSED: "passed",
    STATUS_FAILED: "a test failed, or app_main returned non-zero",
    STATUS_PANIC: "panic",
    0: "reset or power-off without a verdict (a triple fault?)",
}

FIRMWARES = ("direct", "bios", "uefi")
OVMF_PAIRS = (
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd",
     "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
)
# What a file behind persistent memory must be a multiple of: the kernel maps it
# with large leaves.
READ_ONLY = ",ro"     # behind FILE,SIZE of an NVDIMM
PMEM_UNIT = 2 << 20
# Machines with more than this ask the host for address space, not for RAM.
BACKED_ABOVE = 2 << 30


class MachineError(Exception):
    """This machine cannot be started here; the text says why."""


class Machine:
    """What to boot and on what. `build` is the folder of the kernel, `pmem` has
    FILE,SIZE for each NVDIMM; see pmem_file(). With ,ro behind it nothing that
    is written there is kept."""

    def __init__(self, build, firmware="direct", cpu="max", memory="512M",
                 smp="1", words="", qemu="qemu-system-x86_64", extra=(),
                 pmem=()):
        if firmware not in FIRMWARES:
            raise MachineError(f"firmware {firmware}: want "
                               + ", ".join(FIRMWARES))
        self.build, self.firmware, self.cpu = build, firmware, cpu
        self.memory, self.smp, self.words = memory, smp, words
        self.qemu, self.extra, self.pmem = qemu, list(extra), list(pmem)

    def command(self, work):
        """The command line; files that it needs are made in folder work."""
        args = self.qemu.split()
        machine, memory = "q35", self.memory
        if memory_bytes(self.memory) > BACKED_ABOVE:
            machine += ",memory-backend=ram"
            args += ["-object", f"memory-backend-ram,id=ram,"
                     f"size={self.memory},reserve=off"]
        if self.pmem:
            machine += ",nvdimm=on"
            nvdimms, total = self.pmem_arguments(work)
            memory += (f",slots={len(self.pmem)},"
                       f"maxmem={memory_bytes(self.memory) + total}B")
            args += nvdimms
        args += ["-M", machine, "-cpu", self.cpu, "-m", memory,
                 "-smp", self.smp, "-nodefaults", "-no-user-config",
                 "-no-reboot", "-display", "none", "-device",
                 "isa-debug-exit,iobase=0xf4,iosize=0x04"]
        if self.firmware == "direct":
            args += ["-kernel", self.file("keyhole.elf")]
            args += ["-append", self.words] if self.words else []
        else:
            args += self.iso_arguments(work)
        return args + self.extra

    def pmem_arguments(self, work):
        """The NVDIMMs, in the order given, and their bytes together."""
        args, total = [], 0
        for number, text in enumerate(self.pmem):
            plain = text.removesuffix(READ_ONLY)
            path, size = pmem_file(plain, os.path.join(work, f"pmem{number}"))
            path = path.replace(",", ",,")     # QEMU's way to quote it
            backend, device = ("", "") if plain == text else \
                (",readonly=on", ",unarmed=on")
            args += ["-object", f"memory-backend-file,id=pmem{number},"
                     f"share=on,mem-path={path},size={size}B{backend}",
                     "-device", f"nvdimm,id=nvdimm{number},"
                     f"memdev=pmem{number}{device}"]
            total += size
        return args, total

    def again(self):
        """A command line for people that runs this machine once more."""
        return shlex.join(
            ["tools/run-qemu", "--build", self.build, "--firmware",
             self.firmware, "--cpu", self.cpu, "--memory", self.memory,
             "--smp", self.smp, "--words", self.words]
            + [word for text in self.pmem for word in ("--pmem", text)])

    def file(self, name):
        path = os.path.join(self.build, name)
        if not os.path.exists(path):
            raise MachineError(f"{path} is not built")
        return path

    def iso_arguments(self, work):
        iso = os.path.join(work, "boot.iso")
        if self.words:
            subprocess.run(
                [os.path.join(TOOLS, "mkiso"), "--kernel",
                 self.file("keyhole.stripped"), "--config",
                 os.path.join(TOOLS, "..", "grub.cfg"), "--append",
                 self.words, iso], check=True)
        else:
            iso = self.file("keyhole.iso")
        args = ["-drive", f"if=none,id=cd,media=cdrom,format=raw,"
                f"readonly=on,file={iso}", "-device", "ide-cd,drive=cd"]
        if self.firmware == "uefi":
            code, variables = find_ovmf()
            own = os.path.join(work, "vars.fd")
            shutil.copyfile(variables, own)
            args += ["-drive", "if=pflash,unit=0,format=raw,readonly=on,"
                     f"file={code}",
                     "-drive", f"if=pflash,unit=1,format=raw,file={own}"]
        return args


def add_options(parser):
    """The options that all who boot one machine have."""
    parser.add_argument("--build", default="build",
                        help="folder with keyhole.elf and keyhole.iso")
    parser.add_argument("--cpu", default="max")
    parser.add_argument("--memory", default="512M")
    parser.add_argument("--smp", default="1")
    parser.add_argument("--pmem", metavar="FILE[,SIZE]", action="append",
                        default=[], help="persistent memory, kept in a file "
                        "that is made if need be; several; no FILE: for this "
                        "run only")
    parser.add_argument("--qemu", default="qemu-system-x86_64")
    parser.add_argument("--words", default="", help="kernel command line")


def from_options(args, firmware, extra=()):
    """The machine that they ask for."""
    return Machine(args.build, firmware, args.cpu, args.memory, args.smp,
                   args.words, args.qemu, extra, args.pmem)


def memory_bytes(text):
    match = re.fullmatch(r"(\d+)([KMGT]?)", text)
    if not match:
        raise MachineError(f"memory {text}: want a number and K, M, G or T")
    unit = " KMGT".index(match.group(2) or " ") if match.group(2) else 2
    return int(match.group(1)) << 10 * unit


def split_memory(text):
    """The RAM, and the persistent memory, of a machine of the matrix:
    512M,pmem=64M has a fresh file of 64 MiB for each run."""
    memory, *parts = text.split(",")
    for part in parts:
        if not part.startswith("pmem="):
            raise MachineError(f"memory {text}: want SIZE[,pmem=SIZE]...")
    return memory, ["," + part.removeprefix("pmem=") for part in parts]


def pmem_file(text, temporary):
    """The file that FILE[,SIZE] names, and its size in bytes. It is made, of
    nothing but a hole, where there is none; without a name it is the temporary
    one."""
    match = re.fullmatch(r"(.*?)(?:,(\d+[KMGT]?))?", text, re.S)
    path, want = match.group(1) or temporary, match.group(2)
    size = memory_bytes(want) if want else None
    if os.path.exists(path):
        if not os.path.isfile(path):
            raise MachineError(f"pmem {path}: not a regular file")
        there = os.path.getsize(path)
        if size not in (None, there):
            raise MachineError(f"pmem {path}: has {there} bytes, not {want}: "
                               "leave the size out, or remove the file")
        size = there
    elif size is None:
        raise MachineError(f"pmem {path}: not there; FILE,SIZE makes it")
    if size == 0 or size % PMEM_UNIT:
        raise MachineError(f"pmem {path}: {size} bytes: want a multiple of "
                           f"{PMEM_UNIT >> 20}M")
    if not os.path.exists(path):
        with open(path, "xb") as file:
            file.truncate(size)
    return path, size


def find_ovmf():
    for code, variables in OVMF_PAIRS:
        if os.path.exists(code) and os.path.exists(variables):
            return code, variables
    raise MachineError("no UEFI firmware: install the package ovmf")


def status_name(status):
    if status is not None and status < 0:
        return f"QEMU was killed by signal {-status}"
    return STATUS_NAMES.get(status, f"QEMU failed with status {status}")


class Run:
    """One run: its console so far, and how it ended."""

    def __init__(self, limit_s):
        self.console = bytearray()
        self.status = None
        self.timed_out = False
        self.limit_s = limit_s
        self.seconds = 0.0
        self.again = ""

    def text(self):
        return clean(self.console.decode("utf-8", "replace"))


def clean(text):
    """A console without escape sequences and carriage returns."""
    text = re.sub(r"\x1b\[[0-9;=?]*[A-Za-z]", "", text)
    return text.replace("\r", "")


def run_captured(machine, limit_s, log_path=None, session=None):
    """Run with the console captured; session feeds it, if there is one."""
    run = Run(limit_s)
    with tempfile.TemporaryDirectory(prefix="keyhole-") as work:
        run.again = machine.again()
        command = machine.command(work) + ["-serial", "stdio"]
        start = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, bufsize=0)
        try:
            pump(process, run, start + limit_s, session)
        finally:
            if process.poll() is None:
                process.kill()
            process.stdin.close()
            run.console += process.stdout.read()
            process.stdout.close()
            run.status = process.wait()
            run.seconds = time.monotonic() - start
            if log_path:
                with open(log_path, "wb") as log:
                    log.write(run.console)
    return run


def pump(process, run, deadline, session):
    """Move console bytes until the machine ends or its time is up."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                run.timed_out = True
                return
            if selector.select(min(left, 0.5)):
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    wait_end(process, run, deadline)
                    return
                run.console += data
            elif process.poll() is not None:
                return
            if session:
                try:
                    session.advance(run.text(), process.stdin.write)
                except BrokenPipeError:
                    pass


def wait_end(process, run, deadline):
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        run.timed_out = True


# Features of a CPU that QEMU learnt to emulate after the oldest that we support.
LATE_FEATURES = {"x2apic": "9.0"}
UNSUPPORTED = re.compile(r"TCG doesn't support requested feature: \S*?"
                         r"\b(\w+) \[bit")


def missing_feature(console):
    """Why this QEMU cannot be the machine that was asked for, or None."""
    for name in UNSUPPORTED.findall(console):
        if name in LATE_FEATURES:
            return f"QEMU emulates {name} from {LATE_FEATURES[name]} on"
    return None


def check_regex(text, place):
    try:
        re.compile(text)
    except re.error as error:
        raise MachineError(f"{place}: {text!r}: {error}") from error


class Session:
    """A script for a shell on the console, a step a line, in order:
    `< REGEX` waits for text behind what was matched last; `> TEXT` sends a
    line, with \\1 to \\9 from the last match; `= TEXT` sends just that, with
    \\t, \\r, \\x1b for keys; `! panic` says how the run shall end (without:
    passed). `#` starts a comment."""

    ENDS = {"passed": STATUS_PASSED, "failed": STATUS_FAILED,
            "panic": STATUS_PANIC}

    def __init__(self, text, name="session"):
        self.steps, self.at, self.next, self.match = [], 0, 0, None
        self.want = STATUS_PASSED
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            kind, rest = line[0], line[2:]
            if kind == "!" and rest in self.ENDS:
                self.want = self.ENDS[rest]
            elif kind in "<>=" and line[1:2] in ("", " "):
                if kind == "<":
                    check_regex(rest, f"{name}:{number}")
                self.steps.append((kind, rest, number))
            else:
                raise MachineError(f"{name}:{number}: want '< ', '> ', '= ' "
                                   "or '! panic'")

    def advance(self, console, send):
        """Take every step that the console so far allows."""
        while self.next < len(self.steps):
            kind, text, _ = self.steps[self.next]
            if kind == "=":
                send(text.encode().decode("unicode_escape").encode("latin-1"))
            elif kind == ">":
                if self.match:
                    text = self.match.expand(text)
                send(text.encode() + b"\r")
            else:
                match = re.compile(text, re.M).search(console, self.at)
                if not match:
                    return
                self.at, self.match = match.end(), match
            self.next += 1

    def missing(self):
        """The step that never came, for people, or None."""
        if self.next == len(self.steps):
            return None
        kind, text, number = self.steps[self.next]
        verb = "did not see" if kind == "<" else "could not send"
        return f"line {number} of the session: {verb} {text!r}"


def run_on_terminal(machine):
    """Run with the console on this terminal; QEMU's exit status."""
    with tempfile.TemporaryDirectory(prefix="keyhole-") as work:
        command = machine.command(work) + ["-serial", "mon:stdio"]
        sys.stdout.flush()
        process = subprocess.Popen(command)
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue     # QEMU decides what Ctrl-C means
