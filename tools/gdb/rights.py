# SPDX-License-Identifier: MIT
#
# What each CPU may do, and who has which key: pks.

import gdb
from brackets import cpus, levels_below
from places import domains, key_name, rights_of, rights_text, thread_name
from target import (engine, fail, machine, numbers, paging_is_on, pointer,
                    register, unsigned, variable)


def cr4_text(value):
    names = [name for name in ("SMEP", "SMAP", "PKE", "PKS", "LA57")
             if value & getattr(numbers, "CR4_" + name)]
    return f"{value:#x} {' '.join(names)}".rstrip()


def data_of_this_cpu():
    """struct cpu_data of the selected CPU, or None: it has not started."""
    if not paging_is_on():
        return None
    base, table = register("gs_base"), variable("cpu_table")
    for number in range(int(variable("cpus_count"))):
        if unsigned(table[number]) == base and \
                unsigned(table[number]["bracket_top"]) != 0:
            return pointer(base, "struct cpu_data").dereference()
    return None


class Rights:
    """A CPU's contexts, the innermost first, and what each may do."""

    def __init__(self, data):
        self.cpu = int(data["cpu"])
        self.name = thread_name(unsigned(data["thread"]))
        self.words = [
            unsigned((slots[0] if slots else sentinel)["rights"])
            for sentinel, slots in levels_below(unsigned(data["bracket_top"]))]


def print_cpu(thread, keys):
    """Prints a CPU; returns its Rights, or None."""
    thread.switch()
    if not paging_is_on():
        print(f"GDB thread {thread.num}: a CPU that has not started")
        return None
    cr0 = register("cr0")
    registers = (f"CR0 {cr0:#x}{' WP' if cr0 & numbers.CR0_WP else ''}, "
                 f"CR3 {register('cr3'):#x}, CR4 {cr4_text(register('cr4'))}")
    data = data_of_this_cpu()
    if data is None:
        print(f"GDB thread {thread.num}: a CPU that has not come to the kernel"
              f"\n  {registers}")
        return None
    rights = Rights(data)
    print(f"CPU {rights.cpu}, GDB thread {thread.num}, runs {rights.name}\n"
          f"  {registers}")
    for index, word in enumerate(rights.words):
        level = len(rights.words) - 1 - index
        who = f"handler {level}" if level else "thread"
        print(f"  {who:9} {rights_text(word, keys)}")
    return rights


def print_keys(found):
    """What the innermost context of each CPU may do with each key."""
    names = {key: key_name(key) for key in range(numbers.PKS_KEYS)}
    width = max(len(name) for name in names.values() if name)
    print("key" + " " * (width + 3) +
          "".join(f"CPU {one.cpu:<4}" for one in found).rstrip())
    for key, name in names.items():
        if name:
            cells = "".join(f"{rights_of(one.words[0], key):8}"
                            for one in found)
            print(f"{key:3} {name:{width}}  {cells}".rstrip())


def frames_taken(domain):
    """Frames that a domain has, those at hand on CPUs left out."""
    number = int(domain["id"])
    return int(domain["frames"]) - sum(
        int(cpu["frame_cache"][number]["count"]) for cpu in cpus())


def print_domains(keys):
    print("domain " + ("key  " if keys else "") + "frames  name")
    for domain in domains():
        key = int(domain["key"])
        column = f"{key or '-':>3}  " if keys else ""
        print(f"{int(domain['id']):6} {column}{frames_taken(domain):6}  "
              f"{domain['name'].string(errors='replace')}")


def print_all():
    running = engine()
    keys = bool(running["counts_pkrs"])
    print(f"engine {running['name'].string()}: {running['how'].string()}")
    threads = sorted(gdb.selected_inferior().threads(), key=lambda t: t.num)
    found = [print_cpu(thread, keys) for thread in threads]
    for thread, rights in zip(threads, found):
        if rights:
            thread.switch()      # its tables have the kernel
    if keys:
        print_keys([rights for rights in found if rights])
    print_domains(keys)


class Pks(gdb.Command):
    """Show what each CPU may do, who has which key, and the domains.

pks

For each CPU the control registers, and of what it runs, handlers first, what
each may do: the word that the kernel keeps (arch/pks.h), since QEMU's stub has
no register IA32_PKRS. The register has the word of the innermost, but for the
instruction between the two stores of a bracket, and in the first and last
instructions of a trap."""

    def __init__(self):
        super().__init__("pks", gdb.COMMAND_DATA, prefix=True)

    def invoke(self, argument, _from_tty):
        if argument:
            fail(f"No command pks {argument.split()[0]}; help pks lists them.")
        with machine():
            print_all()
