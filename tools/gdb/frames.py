# SPDX-License-Identifier: MIT
#
# What is known of a frame: pks frame.

import gdb
import brackets
import pagetable
from places import domain, domain_name, site_place
from target import (address_of, contains, element, engine, enumerators, fail,
                    machine, numbers, unsigned, variable)


def section_is_ready(address):
    """Whether the frame table has the section of a physical address."""
    section = address // numbers.SECTION_SIZE
    word = unsigned(variable("sections_ready")[section // 64])
    return word >> section % 64 & 1 == 1


def is_memory(address):
    memory = variable("memory", "mm/section.c")
    types = enumerators("enum memory_type")
    known = (types["MEMORY_USABLE"], types["MEMORY_PERSISTENT"])
    ranges = [memory["ranges"][i] for i in range(int(memory["count"]))]
    return any(contains(unsigned(part["base"]),
                        unsigned(part["end"]) - unsigned(part["base"]),
                        address) and int(part["type"]) in known
               for part in ranges)


def frame_behind(address):
    """The number of the frame that an address is about."""
    size = element(numbers.FRAME_TABLE_BASE, 0, "struct page").type.sizeof
    if contains(numbers.FRAME_TABLE_BASE, numbers.FRAME_TABLE_SIZE, address):
        return (address - numbers.FRAME_TABLE_BASE) // size
    for base in numbers.DIRECT_MAP_BASE, numbers.KMAP_BASE:
        if contains(base, numbers.DIRECT_MAP_SIZE, address):
            return (address - base) // numbers.PAGE_SIZE
    if address < numbers.DIRECT_MAP_SIZE:
        return address // numbers.PAGE_SIZE
    target = pagetable.physical(address, pagetable.walk(address)[-1]) \
        if pagetable.is_canonical(address) else None
    if target is None:
        fail(f"Bad address {address:#x}: not physical, not in the direct map, "
             "no struct page, and nothing is mapped there.")
    return target // numbers.PAGE_SIZE


def frame_checked(address):
    frame = frame_behind(address)
    where = frame * numbers.PAGE_SIZE
    if not is_memory(where):
        fail(f"No frame at physical {where:#x}: it is not RAM.")
    if not section_is_ready(where):
        fail(f"Nothing is known of the frame at {where:#x}: nobody has used "
             f"its {numbers.SECTION_SIZE >> 20} MiB yet.")
    return frame


def page_of(frame):
    return element(numbers.FRAME_TABLE_BASE, frame, "struct page")


def flags_of(page):
    states = enumerators("enum frame_state", "FRAME_")
    state = int(page["private_state"])
    return [name for name, bit in states.items() if state & bit]


def state_text(page):
    flags = flags_of(page)
    if "ALLOCATED" in flags:
        what = "allocated"
    elif "TABLE" in flags:
        what = "a page table, or set aside for one"
    elif "KERNEL" in flags:
        what = "the kernel's own"
    elif "CACHED" in flags:
        what = "free, on a CPU's list"
    else:
        what = "free" if "FREE" in flags else \
            "free inside a larger block, or nobody's"
    return what + (", poisoned" if "POISONED" in flags else "")


def owner_text(page):
    """The domain that has a frame, or whose free memory it is."""
    number = int(page["private_domain"])
    if "ALLOCATED" in flags_of(page):
        return f"domain {domain_name(number)}"
    ids = enumerators("enum domain_id", "DOMAIN_")
    number &= numbers.DOMAIN_FREE - 1
    if number >= ids["RAM"]:
        return f"free memory of domain {domain_name(number)}"
    return "no domain"


def site_text(page):
    """Who allocated or freed it; None: not known."""
    flags = flags_of(page)
    if int(page["private_site"]) == 0 or {"TABLE", "KERNEL"} & set(flags):
        return None
    verb = "allocated" if "ALLOCATED" in flags else "freed"
    return f"{verb} at {site_place(page['private_site'])}"


def block_text(frame, page):
    """Its place in its block."""
    order, flags = int(page["private_order"]), flags_of(page)
    if not {"ALLOCATED", "FREE"} & set(flags):
        return None
    first = frame & -(1 << order)
    return f"order {order}, " + (
        "the first of its block" if "HEAD" in flags else
        f"number {frame - first} of the block at "
        f"{first * numbers.PAGE_SIZE:#x}")


def key_line(page):
    if not engine()["counts_pkrs"] or "ALLOCATED" not in flags_of(page):
        return ""
    key = int(domain(int(page["private_domain"]))["key"])
    return f", key {key}" if key else ", parked: no key"


def watch_line(frame):
    """Who watches it, or has frozen it; None: nobody."""
    watches = variable("watches", "mm/watch.c")
    for number in range(watches.type.range()[1] + 1):
        watch = watches[number]
        first = unsigned(watch["first"])
        if first and 0 <= frame - frame_behind(first) < int(watch["count"]):
            what = "frozen" if watch["frozen"] else "every access" \
                if str(watch["access"]) == "ACCESS_READ" else "writes"
            return f"{what}, by {site_place(watch['site'])}"
    return None


def print_frame(frame):
    page = page_of(frame)
    where = frame * numbers.PAGE_SIZE
    print(f"  frame    {where:#x}, struct page {unsigned(page.address):#x}")
    block = block_text(frame, page)
    print(f"  state    {state_text(page)}{', ' + block if block else ''}")
    print(f"  owner    {owner_text(page)}{key_line(page)}")
    site = site_text(page)
    if site:
        print(f"           {site}")
    if watch_line(frame):
        print(f"  watched  {watch_line(frame)}")
    address = numbers.DIRECT_MAP_BASE + where
    step = pagetable.walk(address)[-1]
    mapped = pagetable.leaf_text(step) \
        if step[2] & numbers.PTE_P else "nothing is mapped"
    print(f"  direct   {address:#x}: {mapped}")
    print("  brackets")
    mine = (one for one in brackets.all_open() if frame in one.frames)
    if brackets.print_open(mine, "    ") == 0:
        print("    none is open")


class Frame(gdb.Command):
    """Show what is known of a frame.

pks frame ADDR

ADDR is any expression: a struct page *, an address in the direct map or of
kmap(), a physical address, or any other address that is mapped. Shows state
and order, the domain, the call that allocated or freed the frame, its leaf in
the direct map, and every open bracket that holds it.

Example: pks frame 0x7c00000"""

    def __init__(self):
        super().__init__("pks frame", gdb.COMMAND_DATA,
                         gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, _from_tty):
        with machine():
            engine()
            print_frame(frame_checked(address_of(argument, "pks frame ADDR")))
