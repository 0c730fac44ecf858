# SPDX-License-Identifier: MIT
#
# Which code an address is in, as the kernel's own reports say it, and the names
# of keys, domains and threads.

import re

import gdb
from target import element, enumerators, numbers, pointer, unsigned, variable


# What these have in line is no frame in the kernel's reports (tools/rows.py).
CALLERS = {"arch/spinlock.h", "mm/lock.h", "arch/cpu.h"}


def source(symtab):
    """Its file, relative to the tree."""
    return symtab.filename.removeprefix("./")


def function_of(ip):
    """The name of the innermost function that an address is in, those left out
    that the kernel leaves out; None: not code."""
    block = gdb.current_progspace().block_for_pc(ip)
    name = None
    while block is not None and not block.is_static and not block.is_global:
        if block.function is not None:
            if source(block.function.symtab) in CALLERS:
                name = None
            elif name is None:
                name = block.function.name
        block = block.superblock
    if name is not None:
        return name
    text = gdb.execute(f"info symbol {ip:#x}", to_string=True)
    # Of assembly, without the local label.
    return None if text.startswith("No symbol") else \
        re.split(r"[ .\[]", text)[0]


def line_of(ip):
    """FILE:LINE, relative to the tree, or None."""
    place = gdb.find_pc_line(ip)
    if place.symtab is None or place.line == 0:
        return None
    return f"{source(place.symtab)}:{place.line}"


def place(ip):
    name, line = function_of(ip), line_of(ip)
    if name is None:
        return f"{ip:#x}"
    return f"{name} ({line})" if line else name


def call_place(return_address):
    """Of a call: it ends before the address that it returns to."""
    return place(return_address - 1)


def site_place(site):
    """Of a call site as the kernel packs it (mm/misuse.h)."""
    site = int(site)
    return call_place((numbers.KERNEL_BASE + site) & (1 << 64) - 1) \
        if site else "an unknown place"


# -------------------------------------------------------------------- Domains

def domain(number):
    return element(numbers.DOMAIN_TABLE_BASE, number, "struct domain")


def domain_name(number):
    return domain(number)["name"].string(errors="replace")


def domains():
    """All that are live."""
    first = enumerators("enum domain_id")["DOMAIN_RAM"]
    for number in range(first, int(variable("slots_used", "mm/domain.c"))):
        if domain(number)["live"]:
            yield domain(number)


def key_name(key):
    """Who has a key; None: nobody."""
    keys = enumerators("enum key", "KEY_")
    for name, number in keys.items():
        if number == key and name != "DOMAINS":
            return name.lower()
    owner = int(variable("owners", "mm/keys.c")[key])
    ids = enumerators("enum domain_id")
    if owner == ids["DOMAIN_NONE"]:
        return None
    return "lost" if owner == ids["DOMAIN_POOL"] else domain_name(owner)


def key_text(key):
    return f"{key} ({key_name(key) or 'unused'})"


def rights_of(word, key):
    """What a word of rights lets do with a key."""
    bits = word >> 2 * key & 3
    return "none" if bits & 1 else "read" if bits & 2 else "write"


def tables_text(closed):
    """Of rights under engines without keys, what there is to say."""
    return f"no keys; page tables are {'closed' if closed else 'open'}"


def rights_text(word, keys):
    """A word of rights, as a fault report prints it."""
    if not keys:
        return tables_text(word & numbers.RIGHTS_TABLES_WD)
    given = [f"{key}({key_name(key) or 'unused'})={rights_of(word, key)}"
             for key in range(numbers.PKS_KEYS)
             if rights_of(word, key) != "none"]
    return f"{word:#010x}: {' '.join(given)}; all others closed"


# -------------------------------------------------------------------- Threads

def threads():
    """All that the kernel lists: the idle ones are not among them."""
    thread = variable("newest", "kernel/thread.c")
    while unsigned(thread) != 0:
        yield thread.dereference()
        thread = thread["older"]


def thread_name(thread):
    """By the address of its struct thread."""
    if thread == 0:
        return "boot"
    return pointer(thread, "struct thread")["name"].string(errors="replace")


def thread_of_context(context):
    """The name of the thread that has a struct mm_context."""
    for thread in threads():
        if unsigned(thread["context"]) == context:
            return thread["name"].string(errors="replace")
    return "idle"
