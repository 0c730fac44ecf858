# SPDX-License-Identifier: MIT
#
# How tools/store-check shows what it found: a summary, lists, a drawing, JSON.

import sys

import store_format as fmt


def count(number, what):
    return f"{number} {what}{'s' * (number != 1)}"


def size_text(blocks):
    size, unit = blocks * fmt.BLOCK >> 10, "KiB"
    if size % 1024 == 0:
        size, unit = size >> 10, "MiB"
    return f"{size} {unit}"


def tree_text(tree):
    """Items, height and blocks of a tree in a few words."""
    text = f"{count(tree.items, 'item')}, height {tree.height}, " \
        f"{count(len(tree.blocks), 'block')}"
    leaves = tree.nodes.get(0, 0)
    if leaves:
        room = leaves * (fmt.BLOCK - fmt.NODE.size)
        text += f", leaves {100 * (room - tree.free) // room} % full"
    return text if tree.sound else text + ", DAMAGED"


def own_blocks(forest, index):
    """The blocks that would be free without snapshot number `index`."""
    trees = forest.trees
    others = trees[index + 1].blocks
    if index:
        others = others | trees[index - 1].blocks
    return trees[index].blocks - others


def summary(image, forest):
    header = image.header
    if header is None:
        print(f"{image.path}: a store whose header is damaged")
        return
    uuid = header.uuid.hex()
    parts = (uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:])
    print(f"{image.path}: store, version {fmt.VERSION}, "
          f"{count(header.blocks, 'block')} ({size_text(header.blocks)}), "
          f"uuid {'-'.join(parts)}")
    beyond = image.size // fmt.BLOCK - header.blocks
    if beyond > 0:
        print(f"the file has {count(beyond, 'block')} more")
    if forest is None:
        print("the current state cannot be told")
        return
    slot = image.generation % 2
    print(f"generation {image.generation} in slot {slot}; slot {1 - slot}: "
          f"{image.slot_text(1 - slot)}")
    print(f"head: {tree_text(forest.head)}")
    print(f"snapshots: {len(forest.snapshots)}")
    print(f"used: {count(len(forest.used), 'block')} of {header.blocks}, free: "
          f"{header.blocks - len(forest.used)}")


def snapshots(forest):
    for index, tree in enumerate(forest.snapshots):
        own = len(own_blocks(forest, index))
        print(f'snapshot {tree.said.number} "{tree.said.name}": generation '
              f"{tree.generation}, {tree_text(tree)}, {own} its own")


def list_items(forest, tree):
    for key, value in forest.items(tree):
        print(f"{fmt.key_text(key)} {len(value)}")


def dump(forest, tree, out):
    """One item a line, as hexadecimal: object, type, offset, value."""
    for (obj, kind, offset), value in forest.items(tree):
        out.write(f"{obj:016x} {kind:02x} {offset:016x} {value.hex()}\n")


def get(forest, tree, key):
    """Print a value; whether there is one."""
    for found, value in forest.items(tree):
        if found == key:
            print(f"{fmt.key_text(key)}: {count(len(value), 'byte')}")
            for at in range(0, len(value), 16):
                print(hex_line(at, value[at:at + 16]))
            return True
    print(f"{fmt.key_text(key)}: not in {tree.name}", file=sys.stderr)
    return False


def hex_line(at, data):
    text = "".join(chr(c) if 0x20 <= c < 0x7f else "." for c in data)
    return f"{at:08x}  {data.hex(' '):<47}  {text}"


def draw(forest, tree):
    """A node a line, children below their parent."""
    print(f"{tree.name}, {count(len(tree.blocks), 'block')}:")
    if not tree.said.root:
        print("  no blocks: an empty tree")
    stack = [(tree.said.root, 0)] if tree.said.root else []
    left = set(tree.blocks)
    while stack:
        number, depth = stack.pop()
        if number not in left:
            print(f"{'  ' * depth}  block {number}: DAMAGED")
            continue
        left.remove(number)
        node = forest.known[number]
        what = "children" if node.level else "items"
        print(f"{'  ' * depth}  block {number}: level {node.level}, generation "
              f"{node.generation}, {node.count} {what}, {node.free} bytes free, "
              f"from {fmt.key_text(node.first)} to {fmt.key_text(node.last)}")
        stack.extend((block, depth + 1)
                     for block, _ in reversed(node.parts))


def tree_json(tree):
    return {"generation": tree.generation, "root": tree.said.root,
            "height": tree.height, "items": tree.items,
            "blocks": len(tree.blocks), "sound": tree.sound}


def as_json(image, forest, problems):
    found = {
        "image": image.path, "sound": not problems,
        "problems": [{"block": problem.block, "byte": problem.byte,
                      "text": problem.text} for problem in problems]}
    if image.header:
        found.update(version=fmt.VERSION, blocks=image.header.blocks,
                     uuid=image.header.uuid.hex())
    if forest:
        found.update(
            generation=image.generation, head=tree_json(forest.head),
            used=len(forest.used),
            free=image.header.blocks - len(forest.used),
            snapshots=[dict(tree_json(tree), id=tree.said.number,
                            name=tree.said.name)
                       for tree in forest.snapshots])
    return found
