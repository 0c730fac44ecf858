# SPDX-License-Identifier: MIT
#
# Backtraces go on behind a trap: its entry is assembly, of which the debug
# information says nothing, but what it saves is a struct trap_frame at the top
# of the stack where it calls trap_handle() (arch/trap.h).

import gdb
import gdb.unwinder
from target import pointer, unsigned

ENTRIES = ("trap_entry_plain", "trap_entry_pks", "trap_entry_tables",
           "trap_entry_exact")
ENTRY_BYTES_MAX = 512
NEAR_CALL, NEAR_CALL_SIZE = 0xe8, 5
# What comes before the call and says where the frame is: LEA RDI, [RSP + N];
# otherwise it is at the stack pointer.
LEA_RDI_RSP = b"\x48\x8d\x7c\x24"
REGISTERS = ("rip rsp rbp rbx rax rcx rdx rsi rdi r8 r9 r10 r11 r12 r13 r14 "
             "r15").split()


def symbol(name):
    return unsigned(gdb.parse_and_eval(f"(unsigned long)&{name}"))


class Returns:
    """Where trap_handle() returns to, and how far from the stack pointer the
    trap frame is then."""

    def __init__(self):
        self.known = None
        gdb.events.new_objfile.connect(lambda _: self.forget())
        gdb.events.clear_objfiles.connect(lambda _: self.forget())

    def forget(self):
        self.known = None

    def distance(self, pc):
        """In bytes; None: trap_handle() does not return there."""
        if self.known is None:
            self.known = dict(found for name in ENTRIES
                              for found in self.found_in(name))
        return self.known.get(pc)

    @staticmethod
    def found_in(name):
        """The first call of trap_handle() in an entry."""
        start, handler = symbol(name), symbol("trap_handle")
        code = bytes(gdb.selected_inferior().read_memory(
            start, ENTRY_BYTES_MAX))
        for at in range(ENTRY_BYTES_MAX - NEAR_CALL_SIZE):
            back = start + at + NEAR_CALL_SIZE
            distance = int.from_bytes(code[at + 1:at + NEAR_CALL_SIZE],
                                      "little", signed=True)
            if code[at] == NEAR_CALL and back + distance == handler:
                before = code[:at]
                apart = before[-1] if before[:-1].endswith(LEA_RDI_RSP) else 0
                return [(back, apart)]
        return []


returns = Returns()


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class TrapUnwinder(gdb.unwinder.Unwinder):
    def __init__(self):
        super().__init__("keyhole-traps")

    def __call__(self, frame):
        pc = unsigned(frame.read_register("rip"))
        try:
            distance = returns.distance(pc)
            if distance is None:
                return None
            sp = frame.read_register("rsp")
            trap = pointer(unsigned(sp) + distance,
                           "struct trap_frame").dereference()
            saved = {name: trap[name] for name in REGISTERS}
        except (gdb.error, gdb.MemoryError):
            return None      # no kernel, or no stack: not ours
        info = frame.create_unwind_info(FrameId(sp, frame.read_register("rip")))
        for name, value in saved.items():
            info.add_saved_register(name, value)
        return info


def interrupted():
    """The frame that the innermost trap interrupted, or None."""
    frame = gdb.newest_frame()
    while frame is not None:
        if returns.distance(frame.pc()) is not None:
            return frame.older()
        frame = frame.older()
    return None


def register():
    gdb.unwinder.register_unwinder(None, TrapUnwinder(), replace=True)
