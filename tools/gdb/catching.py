# SPDX-License-Identifier: MIT
#
# Stopping where an access was refused: pks catch.

import brackets
import frames
import gdb
from places import (CALLERS, key_text, place, rights_text, source, tables_text,
                    thread_name)
from printers import enumerator
from rights import data_of_this_cpu
from target import (engine, fail, machine, numbers, pointer, register,
                    require_connection, unsigned)
from unwinding import interrupted

CALLERS_MAX = 16
# Called for every access that was refused and that no probe, and no
# run_protected() that says nothing, has answered; at its first instruction the
# arguments are in registers (System V ABI).
REPORTER = "fault_report"


def frame_line(frame):
    """The function and line of one of GDB's frames."""
    place = frame.find_sal()
    name = frame.name() or f"{frame.pc():#x}"
    if place.symtab is None:
        return name
    inlined = ", inlined" if frame.type() == gdb.INLINE_FRAME else ""
    return f"{name} ({source(place.symtab)}:{place.line}){inlined}"


def is_shown(frame):
    """Whether it is a frame in the kernel's reports."""
    place = frame.find_sal()
    return frame.type() != gdb.INLINE_FRAME or place.symtab is None or \
        source(place.symtab) not in CALLERS


def print_callers(frame):
    """Those of the function that a frame is in, with all that is in line."""
    print("  called from")
    while frame and frame.type() == gdb.INLINE_FRAME:
        frame = frame.older()
    for _ in range(CALLERS_MAX):
        frame = frame.older() if frame else None
        if frame is None:
            return
        if is_shown(frame):
            print(f"    {frame_line(frame)}")


def page_once(data, address):
    """The struct page that an address in a window was mapped to by a bracket of
    the thread that is closed now; None: none is remembered."""
    context = unsigned(data["thread"]) and data["thread"]["context"]
    slots = context["brackets"]["thread"]["bracket"] if context else None
    for number in range(slots.type.range()[1] + 1) if context else ():
        slot = slots[number]
        if int(slot["map_site"]) == 0 or brackets.is_special(slot):
            continue
        page = address & -numbers.PAGE_SIZE
        first = unsigned(slot["address"]) & -numbers.PAGE_SIZE
        behind = (page - first) // numbers.PAGE_SIZE
        if 0 <= behind < brackets.count_of(slot):
            return frames.page_of(brackets.frames_of(slot)[behind])
    return None


def print_frame(data, fault, keys):
    page = fault["page"].dereference() if unsigned(fault["page"]) else \
        page_once(data, unsigned(fault["address"]))
    if page is None:
        print("  frame    none")
        return
    key = int(fault["pkey"])
    if keys and key >= 0:
        print(f"  key      {key_text(key)}")
    print("  " + page.format_string().replace("frame", "frame   ", 1))


def print_fault(trap, fault):
    keys = bool(engine()["counts_pkrs"])
    kind = enumerator(fault["kind"])
    access = enumerator(fault["access"]).removeprefix("ACCESS_").lower()
    ip, where = unsigned(trap["rip"]), interrupted()
    print(f"Refused: {access} of {unsigned(fault['address']):#x}, {kind}, "
          f"error {int(fault['error_code']):#x}, vector {int(trap['vector'])}")
    print(f"  at       {ip:#x} {place(ip)}" +
          (f", frame {where.level()} of the backtrace" if where else ""))
    data = data_of_this_cpu()
    print_frame(data, fault, keys)
    # Without keys, what the trap saves as rights is CR0.
    word = unsigned(trap["rights"])
    print("  rights   " + (rights_text(word & 0xffffffff, keys) if keys else
                           tables_text(word & numbers.CR0_WP)))
    print(f"  context  thread {thread_name(unsigned(data['thread']))}, "
          f"trap level {int(data['trap_level']) - 1}, CPU {int(data['cpu'])}")
    print_callers(where)


class Caught(gdb.Breakpoint):
    """At the first instruction of the reporter."""

    def __init__(self):
        super().__init__(f"*{REPORTER}", gdb.BP_HARDWARE_BREAKPOINT)

    def show(self):
        with machine():
            trap = pointer(register("rdi"), "struct trap_frame").dereference()
            fault = pointer(register("rsi"), "struct fault").dereference()
            print_fault(trap, fault)


def caught():
    """The breakpoint, if it is set."""
    for one in gdb.breakpoints():
        if isinstance(one, Caught) and one.is_valid():
            return one
    return None


def stopped(event):
    if isinstance(event, gdb.BreakpointEvent):
        for one in event.breakpoints:
            if isinstance(one, Caught):
                one.show()


class Catch(gdb.Command):
    """Stop where an access is refused, and show what and where it was.

pks catch
pks catch off

Stops before the kernel's own report, on the CPU that was refused, with the
trap handled up to there: `continue' goes on as the kernel would. Accesses that
are expected to be refused do not stop: those of probes, and of functions that
run_protected() calls. With fault=relaxed the first access of each site stops.
`pks catch off' takes the breakpoint away."""

    def __init__(self):
        super().__init__("pks catch", gdb.COMMAND_BREAKPOINTS)
        gdb.events.stop.connect(stopped)

    def invoke(self, argument, _from_tty):
        require_connection()
        if argument not in ("", "off"):
            fail(f"pks catch {argument}: want nothing, or off")
        one = caught()
        if argument == "off":
            if one is None:
                fail("Nothing to take away: pks catch was not given.")
            one.delete()
        elif one is None:
            Caught()
