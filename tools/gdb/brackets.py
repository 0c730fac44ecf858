# SPDX-License-Identifier: MIT
#
# Every open bracket: local ones of threads and handlers on all CPUs, kmap() and
# vmap(): pks brackets.

import gdb
import pagetable
from places import (rights_of, site_place, thread_name, thread_of_context)
from target import (contains, element, engine, enumerators, machine, numbers,
                    pointer, read_words, unsigned, variable)


class Open:
    """One open bracket. frames are numbers; who is a thread or a handler."""

    def __init__(self, kind, access, address, frames, site, who, cpu):
        self.kind, self.access, self.address = kind, access, address
        self.frames, self.site, self.who, self.cpu = frames, site, who, cpu

    def goes_on_with(self, other):
        return self.frames[-1] + 1 == other.frames[0] and \
            (self.kind, self.access, self.site) == \
            (other.kind, other.access, other.site)

    def text(self):
        cpu = f", CPU {self.cpu}" if self.cpu is not None else ""
        return (f"{self.address:#x}  {frames_text(self.frames)}\n"
                f"    {self.kind}, {self.access}, {self.who}{cpu}\n"
                f"    opened at {site_place(self.site)}")


def frames_text(frames):
    """Physical addresses, those side by side as a range."""
    runs = []
    for frame in frames:
        if runs and runs[-1][1] + 1 == frame:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    count = len(frames)
    return f"{count} frame{'' if count == 1 else 's'}: " + ", ".join(
        f"{first * numbers.PAGE_SIZE:#x}" + (
            f"..{last * numbers.PAGE_SIZE:#x}" if last != first else "")
        for first, last in runs)


# ------------------------------------------------------------ Local brackets

def is_sentinel(bracket):
    return unsigned(bracket["address"]) == numbers.BRACKET_NOBODY


def is_special(bracket):
    return not unsigned(bracket["address"]) & numbers.BRACKET_SPECIAL


def address_of_bracket(bracket):
    return unsigned(bracket["address"]) | numbers.BRACKET_SPECIAL


def count_of(bracket):
    more = int(bracket["more_frames"])
    return -more if more < 0 else more + 1


def table_words(address, count):
    """Page-table entries by the address that the kernel has them at."""
    base = unsigned(engine()["tables_base"])
    return read_words(address - base, count)


def entries_of(bracket):
    """Of a special one: those that map its frames."""
    return table_words(unsigned(bracket["backing"]), count_of(bracket))


def in_direct_map(address):
    return contains(numbers.DIRECT_MAP_BASE, numbers.DIRECT_MAP_SIZE, address)


def frames_of(bracket):
    if is_special(bracket):
        return [(entry & numbers.PTE_ADDRESS) // numbers.PAGE_SIZE
                for entry in entries_of(bracket)
                if entry & (numbers.PTE_P | numbers.PTE_LOST_P)]
    address = unsigned(bracket["address"])
    if not in_direct_map(address):
        address = unsigned(bracket["backing"])
    first = (address - numbers.DIRECT_MAP_BASE) // numbers.PAGE_SIZE
    return list(range(first, first + count_of(bracket)))


def entry_access(entry):
    return "write" if entry & (numbers.PTE_RW | numbers.PTE_LOST_RW) \
        else "read"


def access_of(bracket, frames):
    """What the context may do with the frames while this is its innermost."""
    if is_special(bracket):
        return entry_access(entries_of(bracket)[0])
    running = engine()
    if running["counts_pkrs"]:
        page = element(numbers.FRAME_TABLE_BASE, frames[0], "struct page")
        number = int(page["private_domain"])
        key = int(element(numbers.DOMAIN_TABLE_BASE, number,
                          "struct domain")["key"])
        return rights_of(unsigned(bracket["rights"]), key)
    address = unsigned(bracket["address"])
    if not in_direct_map(address):
        return entry_access(table_words(
            unsigned(bracket["window_entry"]), 1)[0])
    step = pagetable.walk(address)[-1]
    return entry_access(step[2])


def local(bracket, who, cpu):
    frames = frames_of(bracket)
    kind = "local, by the window" if is_special(bracket) else "local"
    return Open(kind, access_of(bracket, frames), address_of_bracket(bracket),
                frames, bracket["map_site"], who, cpu)


def levels_below(top):
    """Of a CPU or a thread: the open brackets of each of its contexts, the
    innermost first; the last is the thread."""
    levels = []
    while top != 0:
        slots = []
        slot = pointer(top, "struct bracket") - 1
        while not is_sentinel(slot):
            slots.append(slot.dereference())
            slot -= 1
        levels.append((slot.dereference(), slots))
        top = unsigned(slot["interrupted"])
    return levels


def cpus():
    """struct cpu_data of each CPU that has started."""
    table = variable("cpu_table")
    for number in range(int(variable("cpus_count"))):
        if unsigned(table[number]) != 0 and \
                unsigned(table[number]["bracket_top"]) != 0:
            yield table[number].dereference()


def of_cpu(cpu):
    levels = levels_below(unsigned(cpu["bracket_top"]))
    name = thread_name(unsigned(cpu["thread"]))
    for index, (_, slots) in enumerate(levels):
        level = len(levels) - 1 - index
        who = f"handler at level {level} in thread {name}" if level else \
            f"thread {name}"
        for slot in slots:
            yield local(slot, who, int(cpu["cpu"]))


def context(number):
    """A struct mm_context by its number (mm/context.c)."""
    first = variable("in_image", "mm/context.c")
    in_image = first.type.range()[1] + 1
    if number < in_image:
        return first[number]
    return element(numbers.MM_CONTEXTS_BASE, number, "struct mm_context")


def of_threads():
    """Those of threads that no CPU runs."""
    for number in range(int(variable("used", "mm/context.c"))):
        one = context(number)
        if not one["in_use"] or one["running"]:
            continue
        slots = levels_below(unsigned(one["top"]))[-1][1]
        if slots:
            name = thread_of_context(unsigned(one.address))
            for slot in slots:
                yield local(slot, f"thread {name}, which waits", None)


# -------------------------------------------------------------- Long-lived ones

def kmap_of_frame(address, frame, entry):
    page = element(numbers.FRAME_TABLE_BASE, frame, "struct page")
    count = int(page["private_next"]) & numbers.LONG_KMAP_MASK
    site = int(element(numbers.KMAP_SITES_BASE, frame, "int"))
    kind = f"kmap, {count} times" if count > 1 else "kmap"
    return Open(kind, entry_access(entry), address, [frame], site,
                "everybody", None)


def of_kmap():
    """Frames side by side that were opened alike are shown as one."""
    last = None
    for address, physical, _, entry in pagetable.leaves(
            numbers.KMAP_BASE, numbers.KMAP_SIZE):
        one = kmap_of_frame(address, physical // numbers.PAGE_SIZE, entry)
        if last and last.goes_on_with(one):
            last.frames += one.frames
            continue
        if last:
            yield last
        last = one
    if last:
        yield last


def vmap_slots():
    """Every slot of vmap() that is mapped."""
    classes = variable("vmap_classes")
    for order in range(classes.type.range()[1] + 1):
        base = order << numbers.CLASS_NUMBERS_SHIFT
        for number in range(base, base + int(classes[order]["fresh"])):
            slot = element(numbers.VMAP_SLOTS_BASE, number, "struct vmap_slot")
            if int(slot["extent"]) != 0:
                yield slot


def of_vmap():
    pages = (1 << numbers.EXTENT_KIND_SHIFT) - 1
    kinds = enumerators("enum vmap_kind")
    for slot in vmap_slots():
        address, extent = unsigned(slot["address"]), int(slot["extent"])
        steps = [pagetable.walk(address + i * numbers.PAGE_SIZE)[-1]
                 for i in range(extent & pages)]
        frames = [pagetable.physical(address + i * numbers.PAGE_SIZE, step) //
                  numbers.PAGE_SIZE for i, step in enumerate(steps)
                  if step[2] & numbers.PTE_P]
        physical = extent >> numbers.EXTENT_KIND_SHIFT == kinds["VMAP_PHYSICAL"]
        yield Open("vmap_range" if physical else "vmap",
                   entry_access(steps[0][2]), address, frames,
                   slot["map_site"], "everybody", None)


def all_open():
    for cpu in cpus():
        yield from of_cpu(cpu)
    yield from of_threads()
    yield from of_kmap()
    yield from of_vmap()


def print_open(brackets, indent):
    """Returns how many there were."""
    count = 0
    for bracket in brackets:
        print("\n".join(indent + line for line in bracket.text().split("\n")))
        count += 1
    if not numbers.NOTES_BRACKETS:
        print(f"{indent}(local brackets on frames and ranges leave no trace "
              "with protect=open in a release build)")
    return count


class Brackets(gdb.Command):
    """Show every open bracket of the machine.

pks brackets

For each: its address, its frames by physical address, what it is (local,
local by the thread's window, kmap, vmap), what its context may do, whose it
is, and the call that opened it. Local brackets come first: those of each CPU,
of its handlers before those of the thread that they interrupted, innermost
first; then those of threads that wait. A CPU between two instructions of a map
call may show one that is half made."""

    def __init__(self):
        super().__init__("pks brackets", gdb.COMMAND_DATA)

    def invoke(self, _argument, _from_tty):
        with machine():
            engine()
            count = print_open(all_open(), "  ")
            print(f"  {count} open" if count else "  no bracket is open")
