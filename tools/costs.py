# SPDX-License-Identifier: MIT
#
# A model, not a measurement: counts of instructions and events times published
# costs on hardware, as intervals of cycles. What nobody has published is an
# assumption, and says so. COSTS='invlpg=240:260 ipi=9000' changes any of it.

import re


class CostError(Exception):
    """A cost that cannot be meant; the text says why."""


class Cost:
    """`event`: the member of a result that it is for, or None: for comparison
    only. `low` and `high`: cycles."""

    def __init__(self, event, low, high, what, source):
        self.event, self.low, self.high = event, low, high
        self.what, self.source = what, source


def published():
    """{name: Cost}, in the order of a table."""
    return {
        "insn": Cost(
            "value", 0.25, 1, "an instruction",
            "assumption: 1 to 4 instructions a cycle, data in the first "
            "cache. Each step of a string instruction counts as one here, "
            "which is too many for hardware"),
        "pkrs": Cost(
            "pkrs_writes", 20, 30, "a write of IA32_PKRS",
            "WRPKRU on hardware, derived from KVM measurements (2025); 23.3 "
            "in libmpk (USENIX ATC 2019). WRMSR to IA32_PKRS does not "
            "serialise either (SDM 3A, serializing instructions), but nobody "
            "has published what it costs"),
        "pte": Cost(
            "pte_writes", 0, 15, "a write of a page-table entry",
            "assumption: from a store that hits the first cache to one that "
            "waits for the second"),
        "invlpg": Cost(
            "invlpg", 237, 260, "INVLPG of a page that is in use",
            "Linux x86 TLB flush measurements; 883 for one that is not"),
        "flush": Cost(
            "full_flushes", 96, 251, "a reload of CR3",
            "Linux x86 TLB flush measurements; without the misses that come "
            "behind it"),
        "ipi": Cost(
            "shootdown_ipis", 3000, 15000, "an IPI to flush another CPU",
            "1 to 5 microseconds for each CPU (Linux list), at 3 GHz"),
        "cr0": Cost(
            "cr0_writes", 96, 251, "MOV to CR0, which serialises",
            "assumption: as a reload of CR3, which serialises too; nothing "
            "published was found. How exact and flip open page tables"),
    }


def parse(text):
    """The published costs with what `text` changes: NAME=CYCLES or
    NAME=LOW:HIGH, with spaces between."""
    costs = published()
    for word in text.split():
        match = re.fullmatch(r"(\w+)=(\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?",
                             word)
        if not match:
            raise CostError(f"{word}: want NAME=LOW:HIGH or NAME=CYCLES")
        name, low, high = match.groups()
        if name not in costs:
            raise CostError(f"{word}: want one of " + ", ".join(costs))
        low, high = float(low), float(high or low)
        if low > high:
            raise CostError(f"{word}: {low:g} is more than {high:g}")
        old = costs[name]
        costs[name] = Cost(old.event, low, high, old.what,
                           "given on the command line")
    return costs


def cycles(result, costs):
    """The interval for one iteration, or None where there is nothing to
    count: (low, high)."""
    if result["unit"] != "insns" or "pkrs_writes" not in result:
        return None
    low = high = 0.0
    for cost in costs.values():
        if cost.event:
            low += result.get(cost.event, 0) * cost.low
            high += result.get(cost.event, 0) * cost.high
    return low, high


def middle(interval):
    """A number to sort by: the geometric mean, since the ends lie far apart."""
    low, high = interval
    return (max(low, 1e-9) * max(high, 1e-9)) ** 0.5


# One access to a closed frame, by what could open and close it: the least each
# way asks for, in events; `cpus` other CPUs run.
WAYS = (
    ("protection key: two writes of IA32_PKRS", {"pkrs": 2}, False),
    ("CR0.WP: two MOV to CR0 (writes alone are closed)", {"cr0": 2}, False),
    ("page-table entry, this CPU alone: two writes, one INVLPG",
     {"pte": 2, "invlpg": 1}, False),
    ("page-table entry, all CPUs: the same, and an IPI to each",
     {"pte": 2, "invlpg": 1, "ipi": 1}, True),
)


def ways(costs, cpus):
    """[(what, (low, high))] for a machine with so many CPUs."""
    table = []
    for what, counts, to_all in WAYS:
        low = high = 0.0
        for name, count in counts.items():
            count *= cpus - 1 if to_all and name == "ipi" else 1
            low += count * costs[name].low
            high += count * costs[name].high
        table.append((what, (low, high)))
    return table
