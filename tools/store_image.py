# SPDX-License-Identifier: MIT
#
# A store's image: block 0 and what it says is the current state. What is found
# wrong is collected, not raised; NotAStore alone is raised.

import mmap
import os

import store_format as fmt

# What of block 0's first two pages belongs to nothing.
UNNAMED = (fmt.SELECTOR_AT + 8, fmt.SLOT_AT[0])


class Problem:
    """block and byte: where. text: what is there, and what should be."""

    def __init__(self, block, byte, text):
        self.block, self.byte, self.text = block, byte, text

    def __str__(self):
        at = self.block * fmt.BLOCK + self.byte
        return f"block {self.block}, byte {self.byte:#x} (file {at:#x}): " \
            f"{self.text}"


class Problems(list):
    """Each problem once, however many ways lead to it."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def add(self, block, byte, text):
        if (block, byte, text) not in self.seen:
            self.seen.add((block, byte, text))
            self.append(Problem(block, byte, text))

    def of(self, block):
        """What a reader of this block takes."""
        return lambda byte, text: self.add(block, byte, text)


class Image:
    """A file that holds a store, read-only. `states` are the superblocks of the
    two slots, `generation` is what the selector names, `current` its
    superblock; each None if damaged. Problems of a slot that is not current are
    in `slot_problems` alone: a commit that was cut off leaves anything there."""

    def __init__(self, path):
        self.path, self.problems = path, Problems()
        with open(path, "rb") as file:
            self.size = os.fstat(file.fileno()).st_size
            if self.size < fmt.BLOCKS_MIN * fmt.BLOCK:
                raise fmt.NotAStore(f"{self.size} bytes; a store has at least "
                                    f"{fmt.BLOCKS_MIN * fmt.BLOCK}")
            self.memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.generation = self.current = None
        self.states, self.slot_problems = [None, None], [Problems(), Problems()]
        self.slot_used = [False, False]
        self.header = fmt.read_header(self.memory[:fmt.PAGE],
                                      self.problems.of(0))
        if self.header:
            self.read_state()

    def block(self, number):
        return self.memory[number * fmt.BLOCK:(number + 1) * fmt.BLOCK]

    def read_state(self):
        problem = self.problems.of(0)
        if self.header.blocks > self.size // fmt.BLOCK:
            problem(0x18, f"{self.header.blocks} blocks, the file has "
                    f"{self.size // fmt.BLOCK}")
        first = self.block(0)
        fmt.zeroes(first[UNNAMED[0]:UNNAMED[1]], UNNAMED[0], problem)
        self.generation = fmt.read_selector(first, problem)
        for slot, begin in enumerate(fmt.SLOT_AT):
            self.slot_used[slot] = any(first[begin:begin + fmt.PAGE])
            self.states[slot] = fmt.read_superblock(
                first, slot, self.header, self.slot_problems[slot].of(0))
        if self.generation is None:
            return
        slot = self.generation % 2
        for found in self.slot_problems[slot]:
            problem(found.byte, found.text)
        state = self.states[slot]
        if state and state.generation != self.generation:
            problem(fmt.SLOT_AT[slot] + 8, f"generation {state.generation}, "
                    f"the selector names {self.generation}")
        elif state and not self.slot_problems[slot]:
            self.current = state

    def slot_text(self, slot):
        """What is in a slot, in words."""
        state = self.states[slot]
        if not self.slot_used[slot]:
            return "never written"
        if state is None or self.slot_problems[slot]:
            return "not sound: " + self.slot_problems[slot][0].text
        return f"generation {state.generation}"
