# SPDX-License-Identifier: MIT
#
# Writes images of stores, straight from docs/reference/store-format.md: shares
# nothing with the kernel's code, nor with tools/store-check. Each commit builds
# the whole tree again and keeps what is the same in the tree before. Leaves
# begin where a key says so, so that a change stays a small one.
#
# For tests that damage images: poke() changes bytes and mends the checksum.

import random
import struct
import zlib

BLOCK = 16384
OWN = (1 << 64) - 1
FANOUT = 5                  # children of a node: small, for trees of some height


def table():
    for value in range(256):
        for _ in range(8):
            value = value // 2 ^ value % 2 * 0x82f63b78
        yield value


TABLE = tuple(table())


def crc(data):
    register = 0xffffffff
    for byte in data:
        register = register >> 8 ^ TABLE[(register ^ byte) & 255]
    return register ^ 0xffffffff


def sealed(body):
    """What has a checksum in front."""
    return struct.pack("<I", crc(body)) + body


def selector(generation):
    low = struct.pack("<Q", generation)[:6]
    return low + struct.pack("<H", crc(low) & 0xffff)


class Tree:
    """A committed tree. nodes: {content: (block, generation)} of its blocks."""

    def __init__(self, generation, root=(0, 0), level=0, items=0, nodes=None):
        self.generation, self.root, self.level = generation, root, level
        self.items, self.nodes = items, nodes or {}

    def blocks(self):
        return {block for block, _ in self.nodes.values()}


class Writer:
    """An image under construction, formatted and empty at first. seed: of what
    the format leaves open, which is filled with noise."""

    def __init__(self, blocks=64, seed=1):
        self.blocks, self.random = blocks, random.Random(seed)
        self.uuid = self.random.randbytes(16)
        self.image = bytearray(blocks * BLOCK)
        header = struct.pack("<I8sIIQ16s", 1, b"KEYHOLE\n", BLOCK, 0, blocks,
                             self.uuid)
        self.image[:4096] = sealed(header.ljust(4092, b"\0"))
        self.tree, self.next_snapshot = Tree(0), 1
        self.snapshots = {}         # {id: (name, tree)}
        self.contents = {}          # of the head: {(object, type, offset): value}
        self.commit({})

    def commit(self, changes):
        """A transaction: {key: value}, None for a value that goes."""
        for key, value in changes.items():
            self.contents[key] = value
            if value is None:
                del self.contents[key]
        records = {(OWN, 1, number): self.record(*snapshot)
                   for number, snapshot in self.snapshots.items()}
        self.build(sorted({**self.contents, **records}.items()))
        self.write_superblock()

    def snapshot(self, name):
        """The head as it is gets a name; the id."""
        number = self.next_snapshot
        self.snapshots[number] = (name, self.tree)
        self.next_snapshot += 1
        self.commit({})
        return number

    def drop(self, number):
        del self.snapshots[number]
        self.commit({})

    def record(self, name, tree):
        return struct.pack("<QQQIIQ64sQ", tree.generation, *tree.root,
                           tree.level, len(name), tree.items, name.encode(), 0)

    def build(self, items):
        old = self.tree
        self.tree = Tree(old.generation + 1, items=len(self.contents))
        taken = old.blocks().union(
            *(tree.blocks() for _, tree in self.snapshots.values()))
        self.free = [n for n in range(1, self.blocks) if n not in taken]
        row = [self.node(old, 0, run) for run in leaf_runs(items)]
        while len(row) > 1:
            self.tree.level += 1
            row = [self.node(old, self.tree.level, row[at:at + FANOUT])
                   for at in range(0, len(row), FANOUT)]
        if row:
            self.tree.root = row[0][1]

    def node(self, old, level, content):
        """(first key, (block, generation)) of a node with this content."""
        same = level, tuple(content)
        if same not in old.nodes:
            place = self.free.pop(0), self.tree.generation
            build = self.leaf if level == 0 else self.internal
            node = build(content, self.head(level, len(content), place))
            at = place[0] * BLOCK
            self.image[at:at + BLOCK] = sealed(node)
            self.tree.nodes[same] = place
        else:
            self.tree.nodes[same] = old.nodes[same]
        return content[0][0], self.tree.nodes[same]

    def head(self, level, count, place):
        return lambda start, size: struct.pack(
            "<HHQQHHI16s16s", level, count, *place, start, size, 0, self.uuid,
            b"")

    def leaf(self, items, head):
        """Values from the end on, with holes where there is room for them."""
        room = BLOCK - 64 - sum(24 + len(value) for _, value in items)
        block = bytearray(self.random.randbytes(BLOCK))
        end, slots = BLOCK, b""
        for (obj, kind, offset), value in items:
            hole = self.random.randrange(room // 8 + 1)
            room -= hole
            end -= len(value) + hole
            block[end:end + len(value)] = value
            slots += struct.pack("<QQBBHHH", obj, offset, kind, 0, end,
                                 len(value), 0)
        front = head(end, sum(len(value) for _, value in items)) + slots
        return front + bytes(block[4 + len(front):])

    def internal(self, children, head):
        slots = b"".join(
            struct.pack("<QQB3sIQ", obj, offset, kind, b"", *place)
            for (obj, kind, offset), place in children)
        return (head(0, 0) + slots).ljust(BLOCK - 4, b"\0")

    def write_superblock(self):
        tree = self.tree
        body = struct.pack("<IQQQQQQ16s", tree.level, tree.generation,
                           *tree.root, tree.items, self.next_snapshot,
                           len(self.snapshots), self.uuid)
        at = 0x2000 + tree.generation % 2 * 0x1000
        self.image[at:at + 4096] = sealed(body.ljust(4092, b"\0"))
        self.image[0x1000:0x1008] = selector(tree.generation)


def leaf_runs(items):
    """Cut items into what goes into one leaf each."""
    run, room = [], 0
    for key, value in items:
        begins = zlib.crc32(repr(key).encode()) % 12 == 0
        if run and (begins or room < 24 + len(value)):
            yield run
            run = []
        if not run:
            room = BLOCK - 64
        room -= 24 + len(value)
        run.append((key, value))
    if run:
        yield run


def mend(image, block, begin=0, length=BLOCK):
    """Make the checksum right of a structure in a block."""
    at = block * BLOCK + begin
    image[at:at + length] = sealed(bytes(image[at + 4:at + length]))


def poke(image, block, byte, data, begin=0, length=BLOCK):
    """Change bytes of a structure with a checksum, and the checksum too."""
    at = block * BLOCK + byte
    image[at:at + len(data)] = data
    mend(image, block, begin, length)


def random_writer(seed, blocks=256, commits=6, keys=200):
    """A store with a history: sizes 0 to 8000, deletions, three snapshots of
    which one is dropped."""
    rng = random.Random(seed)
    writer = Writer(blocks, seed)
    for commit in range(commits):
        changes = {}
        for _ in range(keys >> commit):
            key = (rng.randrange(90), rng.choice((0, 1, 255)),
                   rng.choice((rng.randrange(20), OWN)))
            size = rng.choice((0, 1, 30, 100, 100, rng.randrange(200)))
            if rng.randrange(30) == 0:
                size = rng.randrange(8001)
            changes[key] = rng.randbytes(size)
        for key in rng.sample(sorted(writer.contents),
                              len(writer.contents) // 50):
            changes[key] = None
        writer.commit(changes)
        if commit in (1, 2, 4):
            writer.snapshot(f"after {commit}")
    writer.drop(2)
    writer.commit({(7, 7, 7): b"seven"})
    return writer
