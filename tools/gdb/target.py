# SPDX-License-Identifier: MIT
#
# The machine behind GDB: is there a kernel, a connection, and has it come far
# enough; numbers and variables by name; registers; physical memory. All
# layouts come from the kernel's debug information.

import contextlib
import os

import gdb

WORD = (1 << 64) - 1


def fail(text):
    raise gdb.GdbError(text)


def unsigned(value):
    return int(value) & WORD


class Numbers:
    """What mm/debugger.c says: numbers.PAGE_SIZE."""

    def __init__(self):
        self.known = {}
        gdb.events.new_objfile.connect(lambda _: self.known.clear())
        gdb.events.clear_objfiles.connect(lambda _: self.known.clear())

    def __getattr__(self, name):
        if not self.known:
            self.known = enumerators("enum debugger", "DEBUGGER_")
        return self.known[name]


numbers = Numbers()


def enumerators(name, prefix=""):
    """{name without the prefix: value} of an enumeration."""
    return {field.name.removeprefix(prefix): unsigned(field.enumval)
            for field in gdb.lookup_type(name).fields()}


def variable(name, file=None):
    """A variable of the kernel; of one file, if it is static there."""
    return gdb.parse_and_eval(f"'{file}'::{name}" if file else name)


def pointer(address, type_name):
    return gdb.Value(address).cast(gdb.lookup_type(type_name).pointer())


def element(base, index, type_name):
    """The element of a table that begins at a fixed address."""
    return (pointer(base, type_name) + index).dereference()


def contains(base, size, address):
    return 0 <= address - base < size


# ------------------------------------------------------------------ Registers

def register(name):
    frame = gdb.newest_frame()
    return unsigned(frame.read_register(name).cast(
        gdb.lookup_type("unsigned long")))


def paging_is_on():
    return register("cr0") & numbers.CR0_PG != 0


# ----------------------------------------------------------- Is there anything

def require_kernel():
    try:
        gdb.lookup_type("enum debugger")
    except gdb.error:
        fail("No kernel of Keyhole is loaded; for instance: "
             "file build/keyhole.elf")


def require_connection():
    require_kernel()
    thread = gdb.selected_thread()
    if thread is None or not thread.is_valid():
        fail("Not connected to a machine; make debug does that, or: "
             "target remote ADDRESS")
    if thread.is_running():
        fail("The machine runs; stop it first, with Ctrl-C.")


def runs_the_other_kernel():
    """Whether a release image runs the second kernel in it (boot/choose.h)."""
    try:
        return unsigned(gdb.parse_and_eval("(unsigned long)"
                                           "&other_kernel_entry")) != 0 and \
            register("pc") >= unsigned(gdb.parse_and_eval(
                "(unsigned long)&__image_end"))
    except gdb.error:
        return False


def early():
    """Why the selected CPU cannot be asked yet; None: it can."""
    if not paging_is_on():
        return "this CPU has not turned paging on"
    try:
        if int(variable("cpus_count")) != 0:
            return None
    except gdb.MemoryError:
        pass
    return "kmain() has not begun"


def fail_early(why):
    if runs_the_other_kernel():
        folder = os.path.dirname(gdb.current_progspace().filename)
        fail("With protect=open a release image runs the other kernel in it: "
             f"file {folder}/open/keyhole.elf")
    fail(f"Too early: {why}. For instance: thbreak run, continue.")


@contextlib.contextmanager
def selection_kept():
    """The selected thread and frame are the same afterwards."""
    thread, frame = gdb.selected_thread(), gdb.selected_frame()
    try:
        yield thread
    finally:
        thread.switch()
        if frame.is_valid():
            frame.select()


@contextlib.contextmanager
def machine():
    """A CPU on which kernel memory can be read: the selected one, or else
    another."""
    require_connection()
    with selection_kept() as selected:
        why = early()
        others = [] if why is None else [
            thread for thread in gdb.selected_inferior().threads()
            if thread.num != selected.num]
        for thread in others:
            thread.switch()
            if early() is None:
                break
        else:
            if why is not None:
                selected.switch()
                fail_early(why)
        yield


@contextlib.contextmanager
def selected_cpu():
    """The CPU that the user chose, with the kernel running on it."""
    require_connection()
    with selection_kept():
        if not paging_is_on():
            fail_early(early())
        yield


def engine():
    """*engine; fails while there is none."""
    found = variable("engine")
    if unsigned(found) == 0:
        fail_early("no engine is chosen")
    return found.dereference()


# -------------------------------------------------------------------- Memory

def read_physical(address, size):
    """Bytes of physical memory, whatever is mapped and open."""
    connection = gdb.selected_inferior().connection
    if not isinstance(connection, gdb.RemoteTargetConnection):
        fail("Physical memory is read through QEMU's stub: target remote.")
    if connection.send_packet("Qqemu.PhyMemMode:1") != b"OK":
        fail("This stub reads no physical memory; QEMU's does.")
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except gdb.MemoryError:
        return fail(f"No memory at physical {address:#x}.")
    finally:
        connection.send_packet("Qqemu.PhyMemMode:0")


def read_words(address, count):
    data = read_physical(address, 8 * count)
    return [int.from_bytes(data[i:i + 8], "little")
            for i in range(0, len(data), 8)]


def address_of(text, usage):
    """The address that an expression says: a number, a pointer, or where the
    thing is."""
    if not text.strip():
        fail(f"Want an address: {usage}")
    try:
        value = gdb.parse_and_eval(text)
        kind = value.type.strip_typedefs().code
        if kind in (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY,
                    gdb.TYPE_CODE_STRUCT):
            value = value.address
        return unsigned(value)
    except (gdb.error, TypeError) as error:
        return fail(f"Bad address {text!r}: {error}")
