# SPDX-License-Identifier: MIT
#
# The trees of one state of a store: its head and its snapshots. Every block is
# read and verified once; trees that share it check what each of them says of it.

import store_format as fmt
import store_image

# Where a superblock and a snapshot's record say how many items there are,
# counted from where they name the root.
ITEMS_AFTER_ROOT = {"superblock": 0x10, "record": 0x18}


class Known:
    """What is kept of a node. records: (key, place, value) of the store's own
    items in a leaf, which are its last ones."""

    __slots__ = ("level", "generation", "first", "last", "count", "items",
                 "keys", "parts", "records", "free")

    def __init__(self, node, data):
        self.level, self.generation = node.level, node.generation
        self.first, self.last = node.keys[0], node.keys[-1]
        self.free, self.records, self.items = node.free, (), 0
        self.keys, self.parts = node.keys, node.parts
        self.count = len(node.keys)
        if node.level:
            return
        own = 0
        if self.last[0] == fmt.OWN_OBJECT:
            own = sum(key[0] == fmt.OWN_OBJECT for key in node.keys)
            self.records = [
                (key, at, data[at:at + size]) for key, (at, size)
                in zip(node.keys[-own:], node.parts[-own:])]
        self.items = len(node.keys) - own
        self.keys = self.parts = ()


class Tree:
    """said: a superblock or snapshot; (block, byte) is where that names the
    root. blocks, leaves, nodes of each level and so on are what was found."""

    def __init__(self, name, said, kind, block, byte):
        self.name, self.said = name, said
        self.block, self.byte = block, byte
        self.items_at = byte + ITEMS_AFTER_ROOT[kind]
        self.generation, self.sound = said.generation, True
        self.blocks, self.leaves, self.records = set(), [], []
        self.items = self.free = 0
        self.nodes = {}

    @property
    def height(self):
        return self.said.level + 1 if self.said.root else 0


class Entry:
    """What one place says of a node: a parent's entry, or where a root is
    named. Keys of the node are in [low, high)."""

    __slots__ = ("number", "born", "level", "low", "high", "at", "youngest")

    def __init__(self, number, born, level, low, high, at, youngest):
        self.number, self.born, self.level = number, born, level
        self.low, self.high, self.at = low, high, at
        self.youngest = youngest


class Forest:
    """All that a superblock leads to. slot: where that superblock is."""

    def __init__(self, image, state):
        self.image, self.problems = image, store_image.Problems()
        self.known, self.damaged = {}, set()
        self.head = Tree("the head", state, "superblock", 0,
                         fmt.SLOT_AT[state.generation % 2] + 0x10)
        self.walk(self.head)
        self.snapshots = self.read_snapshots()
        for tree in self.snapshots:
            self.walk(tree)
        self.check_sharing()
        self.used = {0}.union(*(tree.blocks for tree in self.trees))

    @property
    def trees(self):
        return self.snapshots + [self.head]

    def walk(self, tree):
        said = tree.said
        stack = [Entry(said.root, said.root_generation, said.level,
                       fmt.KEY_FIRST, fmt.KEY_END, (tree.block, tree.byte),
                       said.generation)] if said.root else []
        while stack:
            entry = stack.pop()
            node = self.visit(tree, entry)
            if node is None:
                tree.sound = False
                continue
            tree.blocks.add(entry.number)
            tree.nodes[node.level] = tree.nodes.get(node.level, 0) + 1
            if node.level:
                stack.extend(children(entry, node))
                continue
            tree.leaves.append(entry.number)
            tree.items += node.items
            tree.free += node.free
            tree.records += [(entry.number, *record)
                             for record in node.records]
        if tree.sound and tree.items != said.items:
            self.problems.add(tree.block, tree.items_at,
                              f"says {said.items} items, {tree.name} has "
                              f"{tree.items}")

    def visit(self, tree, entry):
        """The node that an entry leads to, None if it cannot be walked."""
        number, where = entry.number, entry.at
        if not 0 < number < min(self.image.header.blocks,
                                self.image.size // fmt.BLOCK):
            self.problems.add(*where, f"leads to block {number}, there are "
                              f"{self.image.header.blocks}")
            return None
        if number in tree.blocks:
            self.problems.add(*where, f"leads to block {number}, which "
                              f"{tree.name} has in another place")
            return None
        node = self.read(number)
        if node and self.fits(entry, node):
            return node
        return None

    def read(self, number):
        if number not in self.known and number not in self.damaged:
            data = self.image.block(number)
            node = fmt.read_node(data, number, self.image.header,
                                 self.problems.of(number))
            if node:
                self.known[number] = Known(node, data)
            else:
                self.damaged.add(number)
        return self.known.get(number)

    def fits(self, entry, node):
        """Whether the node is what its parent says."""
        problem = self.problems.of(entry.number)
        parent = "the superblock" if entry.at[0] == 0 \
            else f"block {entry.at[0]}"
        wrong = len(self.problems)
        if node.generation != entry.born:
            problem(0x10, f"is of generation {node.generation}, {parent} says "
                    f"{entry.born}")
        if node.level != entry.level:
            problem(0x04, f"is of level {node.level}, {parent} wants "
                    f"{entry.level}")
        if node.generation > entry.youngest:
            problem(0x10, f"is of generation {node.generation}, younger than "
                    f"{parent} ({entry.youngest})")
        if node.first < entry.low or node.last >= entry.high:
            high = "the end" if entry.high == fmt.KEY_END \
                else fmt.key_text(entry.high)
            problem(0x40, f"keys {fmt.key_text(node.first)} to "
                    f"{fmt.key_text(node.last)}, {parent} has them in "
                    f"{fmt.key_text(entry.low)} to {high}")
        return len(self.problems) == wrong

    def read_snapshots(self):
        """The trees of all snapshots, by id. Their records are the head's."""
        found, names = [], {}
        said = self.head.said
        for block, key, at, value in self.head.records:
            problem = self.problems.of(block)
            if key[1] != fmt.SNAPSHOT_TYPE:
                problem(at, f"item {fmt.key_text(key)}: the store has no "
                        f"items of its own of type {key[1]:#x}")
                continue
            snapshot = fmt.read_snapshot(key[2], value, at, self.image.header,
                                         problem)
            if snapshot is None:
                continue
            before = found[-1].said if found else None
            self.check_snapshot(snapshot, before, names, problem)
            found.append(Tree(f'snapshot {key[2]} "{snapshot.name}"', snapshot,
                              "record", block, at + 0x08))
        if self.head.sound and len(found) != said.snapshots:
            self.problems.add(0, self.head.byte + 0x20,
                              f"says {said.snapshots} snapshots, the head has "
                              f"records of {len(found)}")
        return found

    def check_snapshot(self, snapshot, before, names, problem):
        said = self.head.said
        if not 0 < snapshot.number < said.next_snapshot:
            problem(snapshot.at, f"snapshot {snapshot.number}: the next one's "
                    f"id is {said.next_snapshot}")
        if not 0 < snapshot.generation < said.generation:
            problem(snapshot.at, f"snapshot {snapshot.number} is of generation "
                    f"{snapshot.generation}, the head of {said.generation}")
        if before and before.generation >= snapshot.generation:
            problem(snapshot.at, f"snapshot {snapshot.number} is of generation "
                    f"{snapshot.generation}, the older {before.number} of "
                    f"{before.generation}")
        if snapshot.name in names:
            problem(snapshot.at + 0x28, f"snapshot {snapshot.number} has the "
                    f"name of {names[snapshot.name]}")
        names[snapshot.name] = snapshot.number

    def check_sharing(self):
        """A block that a tree has and that is not younger than the snapshot
        before must be in that one too: what frees blocks relies on it."""
        for older, newer in zip(self.trees, self.trees[1:]):
            if not older.sound:
                continue
            for number in sorted(newer.blocks - older.blocks):
                born = self.known[number].generation
                if born <= older.said.generation:
                    self.problems.add(
                        number, 0x10, f"was written in generation {born} and "
                        f"is in {newer.name}, but not in {older.name} of "
                        f"generation {older.said.generation}")

    def items(self, tree):
        """(key, value) of all items of a sound tree, in order."""
        for number in tree.leaves:
            data = self.image.block(number)
            node = fmt.read_node(data, number, self.image.header,
                                 lambda byte, text: None)
            for key, (at, size) in zip(node.keys, node.parts):
                if key[0] != fmt.OWN_OBJECT:
                    yield key, data[at:at + size]


def children(entry, node):
    """Entries of a node's children, the last one first."""
    high = entry.high
    for index in range(len(node.keys) - 1, -1, -1):
        number, born = node.parts[index]
        low = node.keys[index]
        at = fmt.NODE.size + fmt.CHILD.size * index + 0x14
        yield Entry(number, born, node.level - 1, low, high,
                    (entry.number, at), node.generation)
        high = low
