# SPDX-License-Identifier: MIT
#
# Page tables, read from physical memory: pks walk.

import gdb
from places import key_text
from target import (address_of, contains, engine, fail, numbers, read_words,
                    register, selected_cpu)

BITS = "P RW US PWT PCD A D PS G XD".split()
LEAF_ONLY = ("D", "G")
SIZES = {1: "4 KiB", 2: "2 MiB", 3: "1 GiB"}


def levels():
    return 5 if register("cr4") & numbers.CR4_LA57 else 4


def shift(level):
    return 12 + 9 * (level - 1)


def has_keys():
    """Whether the CPU looks at the keys of supervisor pages."""
    return register("cr4") & numbers.CR4_PKS != 0


def is_leaf(entry, level):
    return level == 1 or (level <= 3 and entry & numbers.PTE_PS != 0)


def key_of(entry):
    return (entry & numbers.PTE_KEY_MASK) >> numbers.PTE_KEY_SHIFT


def walk(address):
    """[(level, index, entry)] from the root down to a leaf or to what is
    absent, on the selected CPU."""
    table, steps = register("cr3") & numbers.PTE_ADDRESS, []
    for level in range(levels(), 0, -1):
        index = address >> shift(level) & numbers.PT_ENTRIES - 1
        entry = read_words(table + 8 * index, 1)[0]
        steps.append((level, index, entry))
        if not entry & numbers.PTE_P or is_leaf(entry, level):
            break
        table = entry & numbers.PTE_ADDRESS
    return steps


def physical(address, step):
    """Where the leaf of a step maps an address to; None: it maps nothing."""
    level, _, entry = step
    if not entry & numbers.PTE_P:
        return None
    inside = (1 << shift(level)) - 1
    return entry & numbers.PTE_ADDRESS & ~inside | address & inside


def leaves(base, size):
    """(address, physical, size, entry) of each leaf in a range that begins
    and ends at entries of the root, on the selected CPU."""
    top = levels()
    step = 1 << shift(top)
    root = read_words(register("cr3") & numbers.PTE_ADDRESS,
                      numbers.PT_ENTRIES)
    for at in range(base, base + size, step):
        entry = root[at >> shift(top) & numbers.PT_ENTRIES - 1]
        if entry & numbers.PTE_P:
            yield from leaves_below(entry, top - 1, at)


def leaves_below(upper, level, base):
    table = read_words(upper & numbers.PTE_ADDRESS, numbers.PT_ENTRIES)
    for index, entry in enumerate(table):
        at = base + (index << shift(level))
        if not entry & numbers.PTE_P:
            continue
        if is_leaf(entry, level):
            yield at, physical(at, (level, index, entry)), \
                1 << shift(level), entry
        else:
            yield from leaves_below(entry, level - 1, at)


def bits_text(entry, leaf):
    return " ".join(name for name in BITS
                    if entry & getattr(numbers, "PTE_" + name) and
                    (leaf or name not in LEAF_ONLY))


def leaf_text(step):
    """Size, bits and key of a leaf."""
    level, _, entry = step
    text = f"leaf of {SIZES[level]}, {bits_text(entry, True)}"
    return text + (f", key {key_text(key_of(entry))}" if has_keys() else "")


def is_canonical(address):
    top = address >> shift(levels()) + 8
    return top in (0, (1 << 64 - shift(levels()) - 8) - 1)


def print_walk(address):
    steps = walk(address)
    print(f"  CR3 {register('cr3'):#x}, thread {gdb.selected_thread().num}")
    print("  level index entry")
    for level, index, entry in steps:
        leaf = is_leaf(entry, level)
        kind = "absent" if not entry & numbers.PTE_P else \
            "leaf" if leaf else "table"
        print(f"  {level:5} {index:5} {entry:#018x} {kind} "
              f"{bits_text(entry, leaf)}".rstrip())
    level, _, entry = steps[-1]
    target = physical(address, steps[-1])
    if target is None:
        print("  nothing is mapped there")
        return
    key = f"key {key_text(key_of(entry))}" if has_keys() else "no keys"
    print(f"  leaf of {SIZES[level]}: physical {target:#x}, {key}")
    print_counts(address, entry)


def print_counts(address, entry):
    """Some engines count in bits of leaves that the CPU ignores."""
    if not contains(numbers.DIRECT_MAP_BASE, numbers.DIRECT_MAP_SIZE, address):
        return
    own = entry & int(engine()["direct_bits"])
    if own:
        print(f"  bits {own:#x} are the engine's counts (mm/engine_flip.c)")


class Walk(gdb.Command):
    """Show the page-table entries that translate an address.

pks walk ADDR

ADDR is any expression: a number, a pointer, a function. The tables are those
of the selected CPU (`thread N' selects another), from CR3 down, read from
physical memory: what is closed can be seen too. Bits have the names of the
manual; the key is that of the leaf, with the name of who has it.

Example: pks walk kmain"""

    def __init__(self):
        super().__init__("pks walk", gdb.COMMAND_DATA,
                         gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, _from_tty):
        with selected_cpu():
            address = address_of(argument, "pks walk ADDR")
            if not is_canonical(address):
                fail(f"Bad address {address:#x}: it is not canonical, the CPU "
                     "raises #GP and reads no tables.")
            print_walk(address)
