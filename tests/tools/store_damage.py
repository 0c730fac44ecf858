# SPDX-License-Identifier: MIT
#
# Every kind of damage that tools/store-check tells apart: how to do it to a sound
# image, with checksums mended so that what is behind them is reached, and what
# must be said of it.

import struct

import store_writer as w

KINDS = []


def kind(says, status=1):
    """Register a function that damages places.image. says: a regular expression
    of the problem; $NAME in it is a block of `places`."""
    def register(function):
        KINDS.append((function.__name__.replace("_", " "), function, says,
                      status))
        return function
    return register


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

    def get(self, layout, block, byte):
        return struct.unpack_from(layout, self.image,
                                  block * w.BLOCK + byte)[0]

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


@kind("not a store: block 0 does not begin", 2)
def nothing_there(p):
    p.raw(0, bytes(w.BLOCK))


@kind("not a store: .*version 2", 2)
def another_version(p):
    p.header(4, u32(2))


@kind("not a store: .*version 3", 2)
def another_version_with_other_checksums(p):
    p.raw(4, u32(3))
    p.raw(100, b"?")


@kind("not a store: the magic", 2)
def another_magic(p):
    p.header(8, b"KEYHOLE2")


@kind("not a store: blocks of 4096 bytes", 2)
def another_block_size(p):
    p.header(16, u32(4096))


@kind("block 0, byte 0x0 .*bit 0 of byte 0x4 is flipped")
def a_flipped_bit_in_the_version(p):
    p.image[4] ^= 1


@kind("block 0, byte 0x0 .*bit 5 of byte 0x9 is flipped")
def a_flipped_bit_in_the_magic(p):
    p.image[9] ^= 32


@kind("block 0, byte 0x14 .*is 0x7, must be 0")
def a_header_with_a_field_too_many(p):
    p.header(0x14, u32(7))


@kind("block 0, byte 0x40 .*is 0x21, must be 0")
def a_header_with_something_behind(p):
    p.header(0x40, b"!")


@kind("block 0, byte 0x18 .*15 blocks, must be 16")
def too_few_blocks(p):
    p.header(0x18, u64(15))


@kind("block 0, byte 0x18 .*4294967296 blocks, must be 16")
def too_many_blocks(p):
    p.header(0x18, u64(1 << 32))


@kind(r"block 0, byte 0x18 .*257 blocks, the file has 256")
def a_file_cut_short(p):
    p.header(0x18, u64(p.writer.blocks + 1))


@kind("block 0, byte 0x1000 .*checksum.*(?s:.*)slot [01]: generation 12, sound, "
      "and so is all")
def a_torn_selector(p):
    p.image[0x1007] ^= 255


@kind("block 0, byte 0x1000 .*names generation 0")
def a_selector_of_generation_0(p):
    p.raw(0x1000, w.selector(0))


@kind("byte 0x.008 .*generation 12, the selector names 14")
def a_selector_of_what_is_not_there(p):
    p.raw(0x1000, w.selector(p.generation + 2))


@kind("block 0, byte 0x1ffe .*must be 0")
def something_behind_the_selector(p):
    p.raw(0x1ffe, b"\1")


@kind("block 0, byte 0x[23]000 .*bit 6 of byte 0x[23]020 is flipped")
def a_flipped_bit_in_the_superblock(p):
    p.image[0x2020 + 0x1000 * p.slot] ^= 64


@kind("block 0, byte 0x[23]000 .*checksum is 0x.{8}, the content's is 0x.{8}$")
def a_superblock_torn_in_two(p):
    p.raw(0x2000 + 0x1000 * p.slot, bytes(64))


@kind("block 0, byte 0x[23]100 .*is 0x55, must be 0")
def a_superblock_with_something_behind(p):
    p.super(0x100, b"U")


@kind("block 0, byte 0x[23]038 .*uuid")
def a_superblock_of_another_store(p):
    p.super(0x38, b"another store...")


@kind("block 0, byte 0x[23]008 .*generation 13 does not belong in slot 0")
def a_superblock_in_the_wrong_slot(p):
    p.super(0x08, u64(p.generation + 1))


@kind("block 0, byte 0x[23]010 .*the root is block 256, there are 256")
def a_root_outside(p):
    p.super(0x10, u64(256))


@kind("block 0, byte 0x[23]010 .*no root, but a level")
def items_without_a_root(p):
    p.super(0x10, u64(0))


@kind("block 0, byte 0x[23]010 .*the root is at level 8, at most 7")
def too_high_a_tree(p):
    p.super(0x04, u32(8))


@kind("block 0, byte 0x[23]018 .*13 is younger than the tree's 12")
def a_root_of_the_future(p):
    p.super(0x18, u64(13))


@kind("block 0, byte 0x[23]020 .*says 7 items, the head has")
def a_wrong_number_of_items(p):
    p.super(0x20, u64(7))


@kind("block 0, byte 0x[23]028 .*id is 0")
def a_next_snapshot_0(p):
    p.super(0x28, u64(0))


@kind("block 0, byte 0x[23]030 .*says 1 snapshots, the head has records of 2")
def a_wrong_number_of_snapshots(p):
    p.super(0x30, u64(1))


@kind("block $root, byte 0x4 .*is of level .*, the superblock wants 1")
def a_root_of_another_level(p):
    p.super(4, u32(1))


@kind("block $leaf, byte 0x0 .*bit 7 of byte 0x3fff is flipped")
def a_flipped_bit_in_a_leaf(p):
    p.image[p.leaf * w.BLOCK + 0x3fff] ^= 128


@kind("block $root, byte 0x0 .*one flipped bit in the checksum")
def a_flipped_bit_in_a_checksum(p):
    p.image[p.root * w.BLOCK + 2] ^= 8


@kind("block $leaf, byte 0x0 .*checksum is")
def a_block_of_noise(p):
    p.raw(p.leaf * w.BLOCK, p.writer.random.randbytes(w.BLOCK))


@kind("block $leaf, byte 0x8 .*says it is block $root")
def a_block_written_to_the_wrong_place(p):
    p.raw(p.leaf * w.BLOCK,
          p.image[p.root * w.BLOCK:(p.root + 1) * w.BLOCK])


@kind("block $leaf, byte 0x20 .*uuid")
def a_block_of_another_store(p):
    p.node(p.leaf, 0x20, b"another store...")


@kind("block $leaf, byte 0x1c .*is 0x9, must be 0")
def a_node_with_a_field_too_many(p):
    p.node(p.leaf, 0x1c, u32(9))


@kind("block $leaf, byte 0x3f .*is 0x01, must be 0")
def a_node_with_a_longer_header(p):
    p.node(p.leaf, 0x3f, b"\1")


@kind("block $leaf, byte 0x6 .*is empty")
def an_empty_leaf(p):
    p.node(p.leaf, 6, u16(0))


@kind("block $root, byte 0x6 .*511 children, at most 510")
def too_many_children(p):
    p.node(p.root, 6, u16(511))


@kind("block $root, byte 0x18 .*values in a node")
def values_in_an_internal_node(p):
    p.node(p.root, 0x18, u16(16384))


@kind("block $leaf, byte 0x18 .*values begin at 0x40, must be in")
def values_over_the_items(p):
    p.node(p.leaf, 0x18, u16(0x40))


@kind("block $leaf, byte 0x18 .*values begin at 0x4001")
def values_behind_the_block(p):
    p.node(p.leaf, 0x18, u16(0x4001))


@kind("block $leaf, byte 0x1a .*says 1 bytes of values, has")
def a_wrong_sum_of_sizes(p):
    p.node(p.leaf, 0x1a, u16(1))


@kind("block $leaf, byte 0x58 .*is not above the one before")
def keys_out_of_order(p):
    p.node(p.leaf, 64 + 24, u64(0))


@kind("block $leaf, byte 0x58 .*is not above the one before")
def the_same_key_twice(p):
    at = p.leaf * w.BLOCK + 64
    p.node(p.leaf, 64 + 24, p.image[at:at + 17])


@kind("block $leaf, byte 0x51 .*is 0x4, must be 0")
def an_item_with_a_byte_too_many(p):
    p.node(p.leaf, 64 + 17, b"\4")


@kind("block $leaf, byte 0x56 .*is 0x300, must be 0")
def an_item_with_a_field_too_many(p):
    p.node(p.leaf, 64 + 22, u16(0x300))


@kind("block $leaf, byte 0x52 .*a value of 8001 bytes")
def a_value_too_long(p):
    p.node(p.leaf, 64 + 18, u16(8000) + u16(8001))


@kind("block $leaf, byte 0x52 .*a value of 2 bytes at 0x3fff")
def a_value_across_the_end(p):
    p.node(p.leaf, 64 + 18, u16(16383) + u16(2))


@kind("block $leaf, byte 0x52 .*a value of 2 bytes at 0x40")
def a_value_among_the_items(p):
    p.node(p.leaf, 64 + 18, u16(64) + u16(2))


@kind("block $leaf, byte 0x3ff0 .*overlap")
def overlapping_values(p):
    p.node(p.leaf, 64 + 18, u16(0x3fe0) + u16(0x20))
    p.node(p.leaf, 64 + 24 + 18, u16(0x3ff0) + u16(0x10))


@kind("block $root, byte 0x34 .*leads to block 0, there are 256"
      "|block $root, byte 0x54 .*leads to block 0, there are 256")
def a_child_in_block_0(p):
    p.node(p.root, 64 + 20, u32(0))


@kind("block $root, byte 0x54 .*leads to block 300, there are 256")
def a_child_outside(p):
    p.node(p.root, 64 + 20, u32(300))


@kind("block $root, byte 0x74 .*which the head has in another place")
def a_child_twice(p):
    p.node(p.root, 64 + 32 + 20, u32(p.get("<I", p.root, 64 + 20)))


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


@kind("block $root, byte 0x53 .*is 0x01, must be 0")
def a_child_with_a_byte_too_many(p):
    p.node(p.root, 64 + 19, b"\1")


@kind("block $records, byte .*no items of its own of type 0x2")
def an_unknown_record_of_the_store(p):
    p.node(p.records, p.record(3)[0] + 16, b"\2")


@kind("block $records, byte .*a snapshot's record has 111 bytes")
def a_short_record(p):
    p.node(p.records, p.record(3)[0] + 20, u16(111))


@kind("block $records, byte .*the name has 0 bytes")
def a_snapshot_without_a_name(p):
    p.snapshot(3, 0x1c, u32(0))


@kind("block $records, byte .*the name has 64 bytes")
def a_name_too_long(p):
    p.snapshot(3, 0x1c, u32(64))


@kind("block $records, byte .*the name has 7 bytes, one of them is 0")
def a_name_with_a_zero(p):
    p.snapshot(3, 0x29, b"\0")


@kind("block $records, byte .*is 0x78, must be 0")
def something_behind_the_name(p):
    p.snapshot(3, 0x50, b"x")


@kind("block $records, byte .*is 0x5, must be 0")
def a_record_with_a_field_too_many(p):
    p.snapshot(3, 0x68, u64(5))


@kind("block $records, byte .*snapshot 3 has the name of 1")
def two_snapshots_of_one_name(p):
    p.snapshot(3, 0x28, b"after 1")


@kind("block $records, byte .*says 7 items, snapshot 3 \"after 4\" has")
def a_wrong_number_of_items_in_a_snapshot(p):
    p.snapshot(3, 0x20, u64(7))


@kind("block $records, byte .*snapshot 3: the next one's id is 3")
def a_snapshot_of_the_future(p):
    p.super(0x28, u64(3))


@kind("block $records, byte .*snapshot 3 is of generation 12, the head of 12")
def a_snapshot_as_young_as_the_head(p):
    p.snapshot(3, 0, u64(12))


@kind("block $records, byte .*3 is of generation 8, the older 1 of 9")
def snapshots_in_the_wrong_order(p):
    p.snapshot(1, 0, u64(9))


@kind("block .*, byte 0x10 .*is in the head, but not in snapshot 3")
def a_snapshot_that_lacks_what_is_shared(p):
    value = p.records * w.BLOCK + p.record(1)[1]
    p.snapshot(3, 8, p.image[value + 8:value + 0x1c])
    p.snapshot(3, 0x20, p.image[value + 0x20:value + 0x28])
