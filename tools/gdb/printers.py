# SPDX-License-Identifier: MIT
#
# How GDB prints the kernel's types; `print/r' shows them as they are.

import gdb
import gdb.printing
import brackets
import frames
from places import place, site_place
from target import enumerators, numbers, unsigned


def enumerator(value):
    """The name of an enumeration's value."""
    return str(value).split("::")[-1]


class Page:
    """struct page"""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        size = self.value.type.sizeof
        where = ""
        if self.value.address is not None:
            frame = (unsigned(self.value.address) -
                     numbers.FRAME_TABLE_BASE) // size
            where = f"frame {frame * numbers.PAGE_SIZE:#x}, "
        parts = [frames.state_text(self.value), frames.owner_text(self.value),
                 f"order {int(self.value['private_order'])}",
                 frames.site_text(self.value)]
        return where + ", ".join(part for part in parts if part)


class Domain:
    """struct domain"""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        if not self.value["live"]:
            return "no domain"
        key, count = int(self.value["key"]), int(self.value["frames"])
        return (f"domain {int(self.value['id'])} "
                f"\"{self.value['name'].string(errors='replace')}\", "
                f"{f'key {key}' if key else 'no key'}, {count} "
                f"frame{'' if count == 1 else 's'}")


class Fault:
    """struct fault"""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        value = self.value
        kind = enumerator(value["kind"])
        if int(value["kind"]) == enumerators("enum fault_kind")["FAULT_NONE"]:
            return f"{kind}: nothing was refused"
        access = enumerator(value["access"]).removeprefix("ACCESS_").lower()
        frame = "no frame" if unsigned(value["page"]) == 0 else \
            f"frame {frame_address(value['page']):#x}"
        return (f"{kind}: {access} of {unsigned(value['address']):#x} refused, "
                f"by {place(unsigned(value['ip']))}, "
                f"error {int(value['error_code']):#x}, "
                f"key {int(value['pkey'])}, {frame}, CPU {int(value['cpu'])}")


def frame_address(page):
    """The physical address of the frame of a struct page *."""
    size = page.type.target().sizeof
    return (unsigned(page) - numbers.FRAME_TABLE_BASE) // size * \
        numbers.PAGE_SIZE


class Bracket:
    """struct bracket"""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        value = self.value
        if brackets.is_sentinel(value):
            return f"nobody's, rights {unsigned(value['rights']):#010x}"
        if int(value["map_site"]) == 0:
            return "never used"
        count = brackets.count_of(value)
        closed = int(value["unmap_site"])
        return (f"{brackets.address_of_bracket(value):#x}, {count} "
                f"frame{'' if count == 1 else 's'}, "
                f"rights {unsigned(value['rights']):#010x}, "
                f"opened at {site_place(value['map_site'])}" +
                (f", last unmap of the slot at {site_place(closed)}"
                 if closed else ""))


class Thread:
    """struct thread"""

    def __init__(self, value):
        self.value = value

    def to_string(self):
        value = self.value
        state = enumerator(value["state"]).removeprefix("THREAD_").lower()
        fn = unsigned(value["fn"])
        parts = [f"thread \"{value['name'].string(errors='replace')}\"", state,
                 f"CPU {int(value['cpu'])}", f"runs {place(fn)}" if fn else "",
                 self.waits(), "pinned" if value["pinned"] else ""]
        return ", ".join(part for part in parts if part)

    def waits(self):
        kinds = enumerators("enum wait_kind")
        kind = int(self.value["waits"])
        if kind == kinds["WAITS_NOTHING"]:
            return ""
        name = enumerator(self.value["waits"]).removeprefix("WAITS_").lower()
        return f"waits for {name} {unsigned(self.value['waits_for']):#x}"


def register():
    printers = gdb.printing.RegexpCollectionPrettyPrinter("keyhole")
    for name, printer in (("page", Page), ("domain", Domain), ("fault", Fault),
                          ("bracket", Bracket), ("thread", Thread)):
        printers.add_printer(name, f"^{name}$", printer)
    gdb.printing.register_pretty_printer(None, printers, replace=True)
