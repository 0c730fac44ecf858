# SPDX-License-Identifier: MIT
#
# For which use which call: each use has benchmarks that do the same by several
# calls, and the model says which is the cheapest under an engine. What a
# benchmark cannot know is in words, and marked as such on the page.

import costs

# A use; {call: benchmark}; what to think of besides.
USES = (
    ("one frame, for a few instructions",
     {"kmap_local_page": "length.each_1", "kmap_local_range": "length.range_1",
      "kmap_local_pages": "length.list_1", "kmap": "length.kmap_1",
      "vmap": "length.vmap_1"},
     "_ro where nothing is written: it finds stray writes"),
    ("16 frames side by side, at once",
     {"kmap_local_range": "length.range_16",
      "kmap_local_page for each": "length.each_16",
      "kmap_local_pages": "length.list_16", "kmap_range": "length.kmap_16",
      "vmap": "length.vmap_16"},
     "allocate them as one block: then one bracket is enough"),
    ("16 frames anywhere, one after the other",
     {"kmap_local_page for each": "length.each_16",
      "kmap_local_pages": "length.list_16", "vmap": "length.vmap_16"},
     "per page, what crosses a border needs code of its own"),
    ("16 frames anywhere, at one address",
     {"kmap_local_pages": "length.list_16", "vmap": "length.vmap_16"},
     "a list is this thread's alone, and cannot fail"),
    ("256 frames anywhere, at one address",
     {"kmap_local_pages": "length.list_256", "vmap": "length.vmap_256"},
     "512 frames at most in a list; kept for long: vmap"),
    ("metadata blocks of 16 KiB, side by side",
     {"kmap_local_range": "workload.blocks_by_range",
      "kmap_local_pages": "workload.blocks_by_list",
      "kmap_local_page": "workload.blocks_by_page"}, ""),
    ("metadata blocks of 16 KiB, scattered",
     {"kmap_local_pages": "workload.blocks_by_list_scattered",
      "kmap_local_page": "workload.blocks_by_page_scattered"},
     "a structure across two pages is whole in a list alone"),
    ("reads from a page cache, 1 byte to 64 KiB",
     {"memcpy_from_page": "workload.cache_read_by_page",
      "kmap_local_pages_ro": "workload.cache_read_by_list"}, ""),
    ("records of a log",
     {"kmap_local_range": "workload.log_in_place",
      "memcpy_to_page": "workload.log_by_copy"},
     "in place, a stray write finds the record open while it is made"),
    ("copies of pages",
     {"memcpy_page": "workload.page_copy_by_helper",
      "two brackets": "workload.page_copy"},
     "the helper cannot be left open"),
    ("pages of zeroes",
     {"memzero_page": "workload.page_zero_by_helper",
      "kmap_local_page": "workload.page_zero"},
     "alloc_page() gives zeroes already"),
    ("a frame for every thread, for long",
     {"kmap": "length.kmap_1", "vmap": "length.vmap_1"},
     "kmap gives the same address again, and counts; vmap a new one with "
     "guards"),
)


class Choice:
    """The cheapest call; `factor` is what the next one costs times that, 0 if
    there is none, or the cheapest costs less than a cycle."""

    def __init__(self, call, interval, factor, second):
        self.call, self.interval = call, interval
        self.factor, self.second = factor, second


def choose(calls, results, table):
    """results: {benchmark: result} of one engine. None: none of them ran."""
    ranked = []
    for call, name in calls.items():
        interval = name in results and costs.cycles(results[name], table)
        if interval:
            ranked.append((costs.middle(interval), call, interval))
    if not ranked:
        return None
    ranked.sort(key=lambda entry: entry[0])
    best = ranked[0]
    if len(ranked) == 1 or best[0] < 1:
        return Choice(best[1], best[2], 0, "")
    return Choice(best[1], best[2], ranked[1][0] / best[0], ranked[1][1])


def overhead(mine, theirs, table):
    """What the workloads cost times what they cost under another engine: the
    geometric mean over those that both ran, and how many that were."""
    product, count = 1.0, 0
    for name, result in mine.items():
        if not name.startswith("workload.") or name not in theirs:
            continue
        a, b = (costs.cycles(r, table) for r in (result, theirs[name]))
        if a and b and costs.middle(b) > 0:
            product *= costs.middle(a) / costs.middle(b)
            count += 1
    return (product ** (1 / count) if count else 0.0), count
