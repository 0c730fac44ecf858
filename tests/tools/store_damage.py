# SPDX-License-Identifier: MIT
#
# Every kind of damage that tools/store-check tells apart: how to do it to a sound
# image, with checksums mended so that what is behind them is reached, and what
# must be said of it.

import struct

import store_writer as w

class Places:
    """An image and where things are in it."""

    def __init__(self, writer):
        self.image, self.writer = bytearray(writer.image), writer
        tree = writer.tree
        self.generation, self.slot = tree.generation, tree.generation % 2
        self.root = tree.root[0]
        leaves = [(content, place[0]) for (level, content), place
                  in tree.nodes.items() if level == 0]
        self.leaf = max(leaves, key=lambda leaf: len(leaf[0]))[1]
        self.records = max(leaves)[1]
        shared = writer.snapshots[1][1].blocks() | {self.records}
        self.heads_own = next(block for _, block in leaves
                              if block not in shared)

    def header(self, byte, data):
        w.poke(self.image, 0, byte, data, 0, 4096)

    def super(self, byte, data):
        begin = 0x2000 + 0x1000 * self.slot
        w.poke(self.image, 0, begin + byte, data, begin, 4096)

    def node(self, block, byte, data):
        w.poke(self.image, block, byte, data)

    def raw(self, byte, data):
        self.image[byte:byte + len(data)] = data

    def flip(self, at, bits):
        self.image[at] ^= bits

    def get(self, layout, block, byte):
        return struct.unpack_from(layout, self.image,
                                  block * w.BLOCK + byte)[0]

    def block(self, number):
        return self.image[number * w.BLOCK:(number + 1) * w.BLOCK]

    def record(self, number):
        """Where snapshot `number` has its record: byte of the item, of the
        value. Records are the last items of the last leaf."""
        count = self.get("<H", self.records, 6)
        back = sorted(self.writer.snapshots, reverse=True).index(number)
        item = 64 + 24 * (count - 1 - back)
        return item, self.get("<H", self.records, item + 18)

    def snapshot(self, number, byte, data):
        self.node(self.records, self.record(number)[1] + byte, data)


def u16(value):
    return struct.pack("<H", value)


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


STEPS = []


def kind(says):
    """Register a kind of damage that takes several steps."""
    def register(function):
        STEPS.append((function.__name__.replace("_", " "), function, says))
        return function
    return register


@kind("not a store: .*version 3")
def another_version_with_other_checksums(p):
    p.raw(4, u32(3))
    p.raw(100, b"?")


@kind("block $leaf, byte 0x58 .*is not above the one before")
def the_same_key_twice(p):
    at = p.leaf * w.BLOCK + 64
    p.node(p.leaf, 64 + 24, p.image[at:at + 17])


@kind("block $leaf, byte 0x3ff0 .*overlap")
def overlapping_values(p):
    p.node(p.leaf, 64 + 18, u16(0x3fe0) + u16(0x20))
    p.node(p.leaf, 64 + 24 + 18, u16(0x3ff0) + u16(0x10))


@kind("block $child, byte 0x10 .*block $root says 1$")
def a_child_of_another_generation(p):
    p.child = p.get("<I", p.root, 64 + 20)
    p.node(p.root, 64 + 24, u64(1))


@kind("block $child, byte 0x10 .*is of generation 99, younger than block $root")
def a_child_of_the_future(p):
    p.child = p.get("<I", p.root, 64 + 20)
    p.node(p.root, 64 + 24, u64(99))
    p.node(p.child, 0x10, u64(99))


@kind("block $child, byte 0x4 .*is of level 9, block $root wants")
def a_child_of_another_level(p):
    p.child = p.get("<I", p.root, 64 + 20)
    p.node(p.child, 4, u16(9))


@kind(r"block $child, byte 0x40 .*keys \(.*, block $root has them in \(.* end$")
def keys_below_what_the_parent_says(p):
    last = 64 + 32 * (p.get("<H", p.root, 6) - 1)
    p.child = p.get("<I", p.root, last + 20)
    p.node(p.root, last, u64(p.get("<Q", p.root, last) + 1))


@kind(r"block $child, byte 0x40 .*keys \(.*, block $root has them in \(.* to \(")
def keys_above_what_the_parent_says(p):
    before = 64 + 32 * (p.get("<H", p.root, 6) - 2)
    p.child = p.get("<I", p.root, before + 20)
    p.node(p.root, before + 32, u64(p.get("<Q", p.root, before) + 1) + u64(0))


@kind("block .*, byte 0x10 .*is in the head, but not in snapshot 3")
def a_snapshot_that_lacks_what_is_shared(p):
    value = p.records * w.BLOCK + p.record(1)[1]
    p.snapshot(3, 8, p.image[value + 8:value + 0x1c])
    p.snapshot(3, 0x20, p.image[value + 0x20:value + 0x28])


# What it is, how it is done, what must be said of it: a regular expression
# with $NAME for a block of Places.
KINDS = [
    ("nothing there", lambda p: p.raw(0, bytes(w.BLOCK)),
     "not a store: block 0 does not begin"),
    ("another version", lambda p: p.header(4, u32(2)),
     "not a store: .*version 2"),
    ("another magic", lambda p: p.header(8, b"KEYHOLE2"),
     "not a store: the magic"),
    ("another block size", lambda p: p.header(16, u32(4096)),
     "not a store: blocks of 4096 bytes"),
    ("a header with a field too many", lambda p: p.header(0x14, u32(7)),
     "block 0, byte 0x14 .*is 0x7, must be 0"),
    ("a header with something behind", lambda p: p.header(0x40, b"!"),
     "block 0, byte 0x40 .*is 0x21, must be 0"),
    ("too few blocks", lambda p: p.header(0x18, u64(15)),
     "block 0, byte 0x18 .*15 blocks, must be 16"),
    ("too many blocks", lambda p: p.header(0x18, u64(1 << 32)),
     "block 0, byte 0x18 .*4294967296 blocks, must be 16"),
    ("a file cut short", lambda p: p.header(0x18, u64(p.writer.blocks + 1)),
     r"block 0, byte 0x18 .*257 blocks, the file has 256"),
    ("a selector of generation 0", lambda p: p.raw(0x1000, w.selector(0)),
     "block 0, byte 0x1000 .*names generation 0"),
    ("a selector of what is not there",
     lambda p: p.raw(0x1000, w.selector(p.generation + 2)),
     "byte 0x.008 .*generation 12, the selector names 14"),
    ("something behind the selector", lambda p: p.raw(0x1ffe, b"\1"),
     "block 0, byte 0x1ffe .*must be 0"),
    ("a superblock torn in two",
     lambda p: p.raw(0x2000 + 0x1000 * p.slot, bytes(64)),
     "block 0, byte 0x[23]000 .*checksum is 0x.{8}, the content's is 0x.{8}$"),
    ("a superblock with something behind", lambda p: p.super(0x100, b"U"),
     "block 0, byte 0x[23]100 .*is 0x55, must be 0"),
    ("a superblock of another store",
     lambda p: p.super(0x38, b"another store..."),
     "block 0, byte 0x[23]038 .*uuid"),
    ("a superblock in the wrong slot",
     lambda p: p.super(0x08, u64(p.generation + 1)),
     "block 0, byte 0x[23]008 .*generation 13 does not belong in slot 0"),
    ("a root outside", lambda p: p.super(0x10, u64(256)),
     "block 0, byte 0x[23]010 .*the root is block 256, there are 256"),
    ("items without a root", lambda p: p.super(0x10, u64(0)),
     "block 0, byte 0x[23]010 .*no root, but a level"),
    ("too high a tree", lambda p: p.super(0x04, u32(8)),
     "block 0, byte 0x[23]010 .*the root is at level 8, at most 7"),
    ("a root of the future", lambda p: p.super(0x18, u64(13)),
     "block 0, byte 0x[23]018 .*13 is younger than the tree's 12"),
    ("a wrong number of items", lambda p: p.super(0x20, u64(7)),
     "block 0, byte 0x[23]020 .*says 7 items, the head has"),
    ("a next snapshot 0", lambda p: p.super(0x28, u64(0)),
     "block 0, byte 0x[23]028 .*id is 0"),
    ("a wrong number of snapshots", lambda p: p.super(0x30, u64(1)),
     "block 0, byte 0x[23]030 .*says 1 snapshots, the head has records of 2"),
    ("a root of another level", lambda p: p.super(4, u32(1)),
     "block $root, byte 0x4 .*is of level .*, the superblock wants 1"),
    ("a block of noise",
     lambda p: p.raw(p.leaf * w.BLOCK, p.writer.random.randbytes(w.BLOCK)),
     "block $leaf, byte 0x0 .*checksum is"),
    ("a block written to the wrong place",
     lambda p: p.raw(p.leaf * w.BLOCK, p.block(p.root)),
     "block $leaf, byte 0x8 .*says it is block $root"),
    ("a block of another store",
     lambda p: p.node(p.leaf, 0x20, b"another store..."),
     "block $leaf, byte 0x20 .*uuid"),
    ("a node with a field too many", lambda p: p.node(p.leaf, 0x1c, u32(9)),
     "block $leaf, byte 0x1c .*is 0x9, must be 0"),
    ("a node with a longer header", lambda p: p.node(p.leaf, 0x3f, b"\1"),
     "block $leaf, byte 0x3f .*is 0x01, must be 0"),
    ("an empty leaf", lambda p: p.node(p.leaf, 6, u16(0)),
     "block $leaf, byte 0x6 .*is empty"),
    ("too many children", lambda p: p.node(p.root, 6, u16(511)),
     "block $root, byte 0x6 .*511 children, at most 510"),
    ("values in an internal node", lambda p: p.node(p.root, 0x18, u16(16384)),
     "block $root, byte 0x18 .*values in a node"),
    ("values over the items", lambda p: p.node(p.leaf, 0x18, u16(0x40)),
     "block $leaf, byte 0x18 .*values begin at 0x40, must be in"),
    ("values behind the block", lambda p: p.node(p.leaf, 0x18, u16(0x4001)),
     "block $leaf, byte 0x18 .*values begin at 0x4001"),
    ("a wrong sum of sizes", lambda p: p.node(p.leaf, 0x1a, u16(1)),
     "block $leaf, byte 0x1a .*says 1 bytes of values, has"),
    ("keys out of order", lambda p: p.node(p.leaf, 64 + 24, u64(0)),
     "block $leaf, byte 0x58 .*is not above the one before"),
    ("an item with a byte too many", lambda p: p.node(p.leaf, 64 + 17, b"\4"),
     "block $leaf, byte 0x51 .*is 0x4, must be 0"),
    ("an item with a field too many",
     lambda p: p.node(p.leaf, 64 + 22, u16(0x300)),
     "block $leaf, byte 0x56 .*is 0x300, must be 0"),
    ("a value too long",
     lambda p: p.node(p.leaf, 64 + 18, u16(8000) + u16(8001)),
     "block $leaf, byte 0x52 .*a value of 8001 bytes"),
    ("a value across the end",
     lambda p: p.node(p.leaf, 64 + 18, u16(16383) + u16(2)),
     "block $leaf, byte 0x52 .*a value of 2 bytes at 0x3fff"),
    ("a value among the items",
     lambda p: p.node(p.leaf, 64 + 18, u16(64) + u16(2)),
     "block $leaf, byte 0x52 .*a value of 2 bytes at 0x40"),
    ("a child in block 0", lambda p: p.node(p.root, 64 + 20, u32(0)),
     "block $root, byte 0x54 .*leads to block 0, there are 256"),
    ("a child outside", lambda p: p.node(p.root, 64 + 20, u32(300)),
     "block $root, byte 0x54 .*leads to block 300, there are 256"),
    ("a child twice",
     lambda p: p.node(p.root, 64 + 32 + 20, u32(p.get("<I", p.root, 64 + 20))),
     "block $root, byte 0x74 .*which the head has in another place"),
    ("a child with a byte too many", lambda p: p.node(p.root, 64 + 19, b"\1"),
     "block $root, byte 0x53 .*is 0x01, must be 0"),
    ("an unknown record of the store",
     lambda p: p.node(p.records, p.record(3)[0] + 16, b"\2"),
     "block $records, byte .*no items of its own of type 0x2"),
    ("a short record",
     lambda p: p.node(p.records, p.record(3)[0] + 20, u16(111)),
     "block $records, byte .*a snapshot's record has 111 bytes"),
    ("a snapshot without a name", lambda p: p.snapshot(3, 0x1c, u32(0)),
     "block $records, byte .*the name has 0 bytes"),
    ("a name too long", lambda p: p.snapshot(3, 0x1c, u32(64)),
     "block $records, byte .*the name has 64 bytes"),
    ("a name with a zero", lambda p: p.snapshot(3, 0x29, b"\0"),
     "block $records, byte .*the name has 7 bytes, one of them is 0"),
    ("something behind the name", lambda p: p.snapshot(3, 0x50, b"x"),
     "block $records, byte .*is 0x78, must be 0"),
    ("a record with a field too many", lambda p: p.snapshot(3, 0x68, u64(5)),
     "block $records, byte .*is 0x5, must be 0"),
    ("two snapshots of one name", lambda p: p.snapshot(3, 0x28, b"after 1"),
     "block $records, byte .*snapshot 3 has the name of 1"),
    ("a wrong number of items in a snapshot",
     lambda p: p.snapshot(3, 0x20, u64(7)),
     "block $records, byte .*says 7 items, snapshot 3 \"after 4\" has"),
    ("a snapshot of the future", lambda p: p.super(0x28, u64(3)),
     "block $records, byte .*snapshot 3: the next one's id is 3"),
    ("a snapshot as young as the head", lambda p: p.snapshot(3, 0, u64(12)),
     "block $records, byte .*snapshot 3 is of generation 12, the head of 12"),
    ("snapshots in the wrong order", lambda p: p.snapshot(1, 0, u64(9)),
     "block $records, byte .*3 is of generation 8, the older 1 of 9"),
    ("a flipped bit in the version", lambda p: p.flip(4, 1),
     "block 0, byte 0x0 .*bit 0 of byte 0x4 is flipped"),
    ("a flipped bit in the magic", lambda p: p.flip(9, 32),
     "block 0, byte 0x0 .*bit 5 of byte 0x9 is flipped"),
    ("a torn selector", lambda p: p.flip(0x1007, 255),
     "block 0, byte 0x1000 .*checksum.*(?s:.*)slot 0: generation 12, sound, "
     "and so is all"),
    ("a flipped bit in the superblock",
     lambda p: p.flip(0x2020 + 0x1000 * p.slot, 64),
     "block 0, byte 0x[23]000 .*bit 6 of byte 0x[23]020 is flipped"),
    ("a flipped bit in a leaf",
     lambda p: p.flip(p.leaf * w.BLOCK + 0x3fff, 128),
     "block $leaf, byte 0x0 .*bit 7 of byte 0x3fff is flipped"),
    ("a flipped bit in a checksum", lambda p: p.flip(p.root * w.BLOCK + 2, 8),
     "block $root, byte 0x0 .*one flipped bit in the checksum"),
    *STEPS]
