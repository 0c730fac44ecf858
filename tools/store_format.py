# SPDX-License-Identifier: MIT
#
# The store's format on the medium, version 1, as docs/reference/store-format.md
# has it: the structures of one block each, and what can be said of one without
# looking at another. Written from that page, not from the kernel's code.
#
# A reader takes bytes and a function that is told of each problem, with the byte
# in the block and a sentence; it returns None if what it read is of no use.

import struct

import crc32c

BLOCK = 16384
PAGE = 4096
VERSION = 1
MAGIC = b"KEYHOLE\n"
BLOCKS_MIN, BLOCKS_END = 16, 1 << 32
VALUE_MAX, NAME_MAX = 8000, 63
CHILDREN_MAX, LEVEL_MAX = 510, 7
SELECTOR_AT = PAGE
SLOT_AT = (2 * PAGE, 3 * PAGE)
GENERATION_BITS = 48

OWN_OBJECT, SNAPSHOT_TYPE = (1 << 64) - 1, 1
KEY_END = (1 << 64, 0, 0)               # behind every key
KEY_FIRST = (0, 0, 0)

HEADER = struct.Struct("<II8sIIQ16s")
SUPERBLOCK = struct.Struct("<IIQQQQQQ16s")
NODE = struct.Struct("<IHHQQHHI16s16s")
ITEM = struct.Struct("<QQBBHHH")
CHILD = struct.Struct("<QQB3sIQ")
SNAPSHOT = struct.Struct("<QQQIIQ64sQ")
CRC = struct.Struct("<I")
SELECTOR = struct.Struct("<Q")


def key_text(key):
    return f"({key[0]:#x}, {key[1]:#x}, {key[2]:#x})"


def zeroes(data, begin, problem):
    """Complain about the first byte of data that is not 0; data[0] is byte
    `begin` of its block."""
    if data.count(0) == len(data):
        return
    at = next(at for at, byte in enumerate(data) if byte)
    problem(begin + at, f"is {data[at]:#04x}, must be 0")


def checksum(data, begin, problem):
    """Whether the CRC in front of data is that of the rest. Where one flipped
    bit explains why not, the problem says which."""
    stored, real = CRC.unpack_from(data)[0], crc32c.crc32c(data[4:])
    if stored == real:
        return True
    text = f"checksum is {stored:#010x}, the content's is {real:#010x}"
    if (stored ^ real).bit_count() == 1:
        text += ": one flipped bit in the checksum explains it"
    else:
        found = crc32c.flipped_bit(len(data) - 4, stored ^ real)
        if found:
            text += f": bit {found[1]} of byte {begin + 4 + found[0]:#x} " \
                "is flipped"
    problem(begin, text)
    return False


class NotAStore(Exception):
    """Not damage: there is nothing here that this format describes."""


class Header:
    def __init__(self, blocks, uuid):
        self.blocks, self.uuid = blocks, uuid


def read_header(page, problem):
    """The header in the first page of a medium, None if it is damaged."""
    _, version, magic, size, zero, blocks, uuid = HEADER.unpack_from(page)
    sound = crc32c.crc32c(page[4:]) == CRC.unpack_from(page)[0]
    if not sound and magic != MAGIC and not mended(page, 8, MAGIC):
        raise NotAStore("block 0 does not begin with a store's header")
    if not sound:
        mend = mended(page, 4, struct.pack("<I", VERSION))
        if version != VERSION and not mend:
            raise NotAStore(f"a store of version {version}, or a damaged one: "
                            f"this program knows version {VERSION}")
        checksum(page, 0, problem)
        return None
    if magic != MAGIC:
        raise NotAStore(f"the magic is {magic!r}, want {MAGIC!r}")
    if version != VERSION:
        raise NotAStore(f"a store of version {version}; this program knows "
                        f"version {VERSION}")
    if size != BLOCK:
        raise NotAStore(f"blocks of {size} bytes; this program knows {BLOCK}")
    if zero:
        problem(0x14, f"is {zero:#x}, must be 0")
    zeroes(page[HEADER.size:], HEADER.size, problem)
    if not BLOCKS_MIN <= blocks < BLOCKS_END:
        problem(0x18, f"{blocks} blocks, must be {BLOCKS_MIN} to 2^32 - 1")
        return None
    return Header(blocks, uuid)


def mended(page, at, right):
    """Whether the page would be sound with these bytes at that place."""
    page = page[:at] + right + page[at + len(right):]
    return crc32c.crc32c(page[4:]) == CRC.unpack_from(page)[0]


def selector_of(generation):
    low = SELECTOR.pack(generation)[:6]
    return generation | (crc32c.crc32c(low) & 0xffff) << GENERATION_BITS


def read_selector(block, problem):
    """The generation that the selector names, None if it is damaged."""
    value = SELECTOR.unpack_from(block, SELECTOR_AT)[0]
    generation = value & (1 << GENERATION_BITS) - 1
    if selector_of(generation) != value:
        right = selector_of(generation) >> GENERATION_BITS
        problem(SELECTOR_AT, f"the selector's checksum is "
                f"{value >> GENERATION_BITS:#06x}, that of generation "
                f"{generation} is {right:#06x}")
        return None
    if generation == 0:
        problem(SELECTOR_AT, "the selector names generation 0, the first is 1")
        return None
    return generation


class Superblock:
    def __init__(self, fields):
        (_, self.level, self.generation, self.root, self.root_generation,
         self.items, self.next_snapshot, self.snapshots, self.uuid) = fields


def read_superblock(block, slot, header, problem):
    """The superblock in a slot of block 0, None if it is damaged."""
    begin = SLOT_AT[slot]
    page = block[begin:begin + PAGE]
    if not checksum(page, begin, problem):
        return None
    state = Superblock(SUPERBLOCK.unpack_from(page))
    zeroes(page[SUPERBLOCK.size:], begin + SUPERBLOCK.size, problem)
    if state.uuid != header.uuid:
        problem(begin + 0x38, "the uuid is not the header's")
        return None
    if not 0 < state.generation < 1 << GENERATION_BITS \
            or state.generation % 2 != slot:
        problem(begin + 0x08, f"generation {state.generation} does not belong "
                f"in slot {slot}")
        return None
    read_root(state, begin + 0x10, header, problem)
    if state.next_snapshot == 0:
        problem(begin + 0x28, "the next snapshot's id is 0, must be 1 or more")
    return state


def read_root(tree, at, header, problem):
    """What superblocks and snapshot records say of a root alike; `at` is where
    the root's number is."""
    if tree.root == 0 and (tree.level or tree.root_generation or tree.items):
        problem(at, "no root, but a level, a generation or items")
    if tree.level > LEVEL_MAX:
        problem(at, f"the root is at level {tree.level}, at most {LEVEL_MAX}")
    if tree.root >= header.blocks:
        problem(at, f"the root is block {tree.root}, there are "
                f"{header.blocks}")
    if tree.root_generation > tree.generation:
        problem(at + 8, f"the root's generation {tree.root_generation} is "
                f"younger than the tree's {tree.generation}")


class Snapshot:
    def __init__(self, number, fields, at):
        (self.generation, self.root, self.root_generation, self.level,
         length, self.items, name, _) = fields
        self.number, self.at = number, at
        self.name = name[:length].decode("utf-8", "backslashreplace")


def read_snapshot(number, value, at, header, problem):
    """A snapshot's record, whose value is at byte `at` of its leaf."""
    if len(value) != SNAPSHOT.size:
        problem(at, f"a snapshot's record has {len(value)} bytes, must have "
                f"{SNAPSHOT.size}")
        return None
    fields = SNAPSHOT.unpack(value)
    length, name, zero = fields[4], fields[6], fields[7]
    if not 1 <= length <= NAME_MAX:
        problem(at + 0x1c, f"the name has {length} bytes, must have 1 to "
                f"{NAME_MAX}")
        return None
    if 0 in name[:length]:
        problem(at + 0x28, f"the name has {length} bytes, one of them is 0")
    zeroes(name[length:], at + 0x28 + length, problem)
    if zero:
        problem(at + 0x68, f"is {zero:#x}, must be 0")
    snapshot = Snapshot(number, fields, at)
    read_root(snapshot, at + 0x08, header, problem)
    return snapshot


class Node:
    """A node: keys, and (place, size) of values or (block, generation) of
    children, in the same order."""

    __slots__ = ("level", "generation", "keys", "parts", "free")

    def __init__(self, level, generation, keys, parts, free):
        self.level, self.generation = level, generation
        self.keys, self.parts, self.free = keys, parts, free


def read_node(data, number, header, problem):
    """The node in a block's bytes, None if nothing in it can be trusted."""
    if not checksum(data, 0, problem):
        return None
    (_, level, count, own, generation, start, size, zero, uuid,
     rest) = NODE.unpack_from(data)
    if own != number:
        problem(0x08, f"says it is block {own}")
        return None
    if uuid != header.uuid:
        problem(0x20, "the uuid is not the header's")
        return None
    if zero:
        problem(0x1c, f"is {zero:#x}, must be 0")
    zeroes(rest, 0x30, problem)
    if count == 0:
        problem(0x06, "is empty: a node has at least one item")
        return None
    read = read_leaf if level == 0 else read_internal
    found = read(data, count, start, size, problem)
    if found is None:
        return None
    keys, parts, free = found
    for index in range(1, count):
        if keys[index - 1] >= keys[index]:
            stride = ITEM.size if level == 0 else CHILD.size
            problem(NODE.size + stride * index,
                    f"key {key_text(keys[index])} is not above the one before, "
                    f"{key_text(keys[index - 1])}")
            return None
    return Node(level, generation, keys, parts, free)


def read_leaf(data, count, start, total, problem):
    items_end = NODE.size + ITEM.size * count
    if not items_end <= start <= BLOCK:
        problem(0x18, f"values begin at {start:#x}, must be in "
                f"{items_end:#x} (behind {count} items) to {BLOCK:#x}")
        return None
    keys, parts, used = [], [], []
    fields = ITEM.iter_unpack(data[NODE.size:items_end])
    for index, (obj, offset, kind, zero, at, size, zero2) in enumerate(fields):
        if zero or zero2:
            where = NODE.size + ITEM.size * index
            problem(where + (0x11 if zero else 0x16),
                    f"is {zero or zero2:#x}, must be 0")
        if at + size > BLOCK or size > VALUE_MAX or size and at < start:
            problem(NODE.size + ITEM.size * index + 0x12,
                    f"a value of {size} bytes at {at:#x}, must have at most "
                    f"{VALUE_MAX} and lie in {start:#x} to {BLOCK:#x}")
            return None
        keys.append((obj, kind, offset))
        parts.append((at, size))
        if size:
            used.append((at, size))
    used.sort()
    for (at, size), (after, _) in zip(used, used[1:]):
        if at + size > after:
            problem(after, f"values at {at:#x} ({size} bytes) and {after:#x} "
                    "overlap")
    real = sum(size for _, size in used)
    if real != total:
        problem(0x1a, f"says {total} bytes of values, has {real}")
    return keys, parts, BLOCK - items_end - real


def read_internal(data, count, start, total, problem):
    if count > CHILDREN_MAX:
        problem(0x06, f"{count} children, at most {CHILDREN_MAX}")
        return None
    if start or total:
        problem(0x18, "values in a node that is not a leaf")
    keys, parts = [], []
    end = NODE.size + CHILD.size * count
    fields = CHILD.iter_unpack(data[NODE.size:end])
    for index, (obj, offset, kind, zero, block, born) in enumerate(fields):
        if any(zero):
            zeroes(zero, NODE.size + CHILD.size * index + 0x11, problem)
        keys.append((obj, kind, offset))
        parts.append((block, born))
    return keys, parts, BLOCK - end
