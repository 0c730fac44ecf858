# SPDX-License-Identifier: MIT
#
# The tables of the report, as HTML: data in, text out.

import html

import answers
import costs
import escapes
import machine
from benchlog import EVENTS

HEADS = {"pkrs_writes": "PKRS writes", "pte_writes": "PTE writes",
         "invlpg": "INVLPG", "full_flushes": "flushes",
         "shootdown_ipis": "IPIs", "cr0_writes": "CR0 writes"}


def text(value):
    return html.escape(str(value))


def table(heads, rows, kind=""):
    """Rows of cells; a cell is text, or (text, class)."""
    out = [f"<table class=\"{kind}\"><tr>"
           + "".join(f"<th>{text(h)}</th>" for h in heads) + "</tr>"]
    for row in rows:
        cells = [c if isinstance(c, tuple) else (c, "") for c in row]
        out.append("<tr>" + "".join(
            f"<td class=\"{css}\">{text(c)}</td>" if css
            else f"<td>{text(c)}</td>" for c, css in cells) + "</tr>")
    return "\n".join(out + ["</table>"])


def number(value):
    """Three digits behind the point at most, and none that say nothing."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")


def interval(pair):
    """Two ends, as exact as they are."""
    def end(value):
        return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
    low, high = (end(value) for value in pair)
    return low if low == high else f"{low} to {high}"


def by_engine(runs, kind="all"):
    """{engine: {benchmark: result}} of the runs of one kind."""
    found = {}
    for run in runs:
        if run.kind == kind and run.state != "not available":
            found.setdefault(run.engine, {}).update(
                {result["name"]: result for result in run.results})
    return found


def natural(name):
    """A key to sort by: digits count as numbers, as in length.list_16."""
    return [int(part) if part.isdigit() else part
            for part in name.replace(".", "_").split("_")]


def engines(runs, model):
    """Which there are, what they caught, what the workloads cost."""
    found = by_engine(runs)
    rows = []
    for run in runs:
        if run.kind != "all":
            continue
        if run.state == "not available":
            rows.append([run.engine, ("not available: " + run.why, "unknown"),
                         "", ""])
            continue
        tests = [t for r in runs if r.engine == run.engine for t in r.tests]
        caught, ran = escapes.caught_of(tests)
        factor, count = answers.overhead(found[run.engine],
                                         found.get("open", {}), model)
        rows.append([
            run.engine, len(run.results), f"{caught} of {ran}",
            f"{factor:.2f} ({count} workloads)" if count
            else "open did not run"])
    return table(["engine", "benchmarks", "planted bugs caught",
                  "workloads, times open (model)"], rows)


def counts(found, wanted, model):
    """Instructions, events and modelled cycles of the benchmarks that
    `wanted` names, a row for each benchmark and engine."""
    names = sorted({n for results in found.values() for n in results
                    if wanted(n)}, key=natural)
    rows = []
    for name in names:
        for engine, results in found.items():
            if name not in results:
                continue
            result = results[name]
            cycles = costs.cycles(result, model)
            rows.append([name, engine, number(result["value"]),
                         "" if result["unit"] == "insns" else result["unit"]]
                        + [number(result[e]) if e in result else ""
                           for e in EVENTS]
                        + [(interval(cycles) if cycles else "", "model")])
    return table(["benchmark", "engine", "instructions", "or",
                  *(HEADS[e] for e in EVENTS), "cycles (model)"], rows,
                 "numbers")


def side_by_side(found, wanted):
    """Instructions alone, a column for each engine."""
    names = sorted({n for results in found.values() for n in results
                    if wanted(n)}, key=natural)
    rows = []
    for name in names:
        cells = [results.get(name) for results in found.values()]
        unit = next(cell["unit"] for cell in cells if cell)
        rows.append([name, unit, *(number(cell["value"]) if cell else "-"
                                   for cell in cells)])
    return table(["benchmark", "unit", *found], rows, "numbers")


def measured(found, wanted, model):
    """Side by side, and behind that all there is to each."""
    return side_by_side(found, wanted) + (
        "<details><summary>Events, and cycles by the model</summary>"
        + counts(found, wanted, model) + "</details>")


def skipped(runs):
    rows = [[run.engine, name, why] for run in runs
            for name, why in sorted(run.skipped.items())]
    return table(["engine", "benchmark", "did not run"], rows) if rows else ""


def size(place):
    """A number of CPUs, or a memory such as 32M or 4G, to sort by."""
    return machine.memory_bytes(place) if isinstance(place, str) else place


def over(runs, kind, field, prefixes, values=("value",)):
    """Rows of benchmarks along the CPUs or the memory of their machines."""
    rows, lines, places = [], {}, []
    for run in runs:
        if run.kind not in ("all", kind) or run.state == "not available":
            continue
        place = getattr(run, field)
        for result in run.results:
            if result["name"].startswith(prefixes):
                if place not in places:
                    places.append(place)
                lines.setdefault((result["name"], run.engine), {})[place] = \
                    result
    places.sort(key=size)
    for (name, engine), cells in sorted(lines.items()):
        for value in values:
            if not any(value in cell for cell in cells.values()):
                continue
            rows.append([name, engine, HEADS.get(value, "value"), *(
                number(cells[p][value]) if p in cells and value in cells[p]
                else "" for p in places)])
    return table(["benchmark", "engine", "", *places], rows, "numbers")


def caught(runs):
    """The planted bugs by engine."""
    tests, order = {}, []
    for run in runs:
        if run.kind == "bugs":
            order.append(run.engine)
            for test in run.tests:
                if test.name.startswith(escapes.SUITE):
                    tests.setdefault(test.name, {})[run.engine] = test
    rows = [[escapes.title(name),
             *(escapes.cell(by.get(engine)) for engine in order)]
            for name, by in sorted(tests.items())]
    return table(["planted bug", *order], rows, "escapes")


def suites(runs):
    """The other suites of tests by engine: passed, failed, skipped."""
    order, lines = [], {}
    for run in runs:
        if run.kind == "tests":
            order.append(run.engine)
            for suite, triple in escapes.suites(run.tests).items():
                lines.setdefault(suite, {})[run.engine] = triple

    def cell(triple):
        if triple is None:
            return "did not run", "unknown"
        good, bad, skip = triple
        words = f"{good} passed" + (f", {bad} failed" if bad else "") + \
            (f", {skip} skipped" if skip else "")
        return words, "failed" if bad else ""
    rows = [[suite, *(cell(by.get(engine)) for engine in order)]
            for suite, by in sorted(lines.items())]
    return table(["suite", *order], rows)


def model_table(model):
    rows = [[name, cost.what, f"{cost.low:g} to {cost.high:g}",
             HEADS.get(cost.event, {"value": "instructions"}.get(
                 cost.event, "(none)")), cost.source]
            for name, cost in model.items()]
    return table(["name", "what", "cycles", "times", "source"], rows)


def ways(model):
    rows = [[what, *(interval(pair) for pair in pairs)]
            for what, *pairs in (
                (one[0], one[1], two[1], three[1]) for one, two, three in zip(
                    *(costs.ways(model, n) for n in (2, 8, 64))))]
    return table(["to open and close one page", "2 CPUs", "8 CPUs",
                  "64 CPUs"], rows)


def answer(found, model):
    """For which use which call; the last column is words, not data."""
    rows = []
    for use, calls, words in answers.USES:
        row = [use]
        for results in found.values():
            choice = answers.choose(calls, results, model)
            if choice is None:
                row.append(("did not run", "unknown"))
            elif choice.factor and choice.factor < 1.05:
                row.append(f"{choice.call} or {choice.second}: "
                           f"{interval(choice.interval)}")
            else:
                row.append(f"{choice.call}: {interval(choice.interval)}" + (
                    f"; {choice.second}: {choice.factor:.1f} times"
                    if choice.factor else ""))
        rows.append(row + [(words, "words")])
    return table(["use", *found, "besides (words, not data)"], rows)
