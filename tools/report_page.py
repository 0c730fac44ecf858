# SPDX-License-Identifier: MIT
#
# The page of the report: one HTML file that needs no other.

import benchlog
import costs
import machine
import plots
import report_parts as parts

STYLE = """
body { font: 15px/1.45 sans-serif; max-width: 76em; margin: 2em auto;
       padding: 0 1em; color: #222; background: #fff; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2em; }
table { border-collapse: collapse; margin: 1em 0; font-size: 13px; }
th, td { border-bottom: 1px solid #ddd; padding: .2em .7em; text-align: left;
         vertical-align: top; }
th { border-bottom: 2px solid #888; }
.numbers td:nth-child(n+3) { text-align: right;
                             font-variant-numeric: tabular-nums; }
.model { color: #7b4b94; } .words { font-style: italic; }
.caught { background: #e3f1e3; } .missed { background: #fbe3d6; }
.late { background: #faf3d1; }
.failed { background: #c8553d; color: #fff; } .unknown { color: #888; }
svg { max-width: 100%; height: auto; }
"""
LENGTHS = (("each", "kmap_local_page for each"), ("range", "kmap_local_range"),
           ("list", "kmap_local_pages"), ("kmap", "kmap_range"),
           ("vmap", "vmap"))


def is_length(name):
    return name.startswith("length.")


def is_workload(name):
    return name.startswith("workload.")


def is_boot(name):
    return name.startswith("boot.")


def is_operation(name):
    return not (is_length(name) or is_workload(name) or is_boot(name))


def megabytes(memory):
    return machine.memory_bytes(memory) >> 20


def length_plots(found):
    """Instructions over frames, a plot for each engine."""
    out = []
    for engine, results in found.items():
        series = []
        for key, call in LENGTHS:
            points = sorted(
                (int(name.rpartition("_")[2]), result["value"])
                for name, result in results.items()
                if name.startswith(f"length.{key}_"))
            if points:
                series.append((call, points))
        if series:
            out.append(plots.draw(plots.lines_script(
                f"{engine}: map and unmap", "frames", "instructions", series,
                log="xy", ticks=[(n, n) for n in
                                 (1, 2, 4, 8, 16, 32, 64, 128, 256)])))
    return out


def along(runs, kind, place, name, value):
    """[(engine, [(where, value)])] of one benchmark."""
    series = {}
    for run in runs:
        if run.kind in ("all", kind):
            for result in run.results:
                if result["name"] == name and value in result:
                    series.setdefault(run.engine, []).append(
                        (place(run), result[value]))
    return [(engine, sorted(points)) for engine, points in series.items()]


def along_plot(runs, kind, place, name, value, labels, **options):
    series = along(runs, kind, place, name, value)
    if not series:
        return []
    return [plots.draw(plots.lines_script(
        f"{name}: {labels[1]}", labels[0], labels[1], series, log="x",
        **options))]


def cpu_plots(runs):
    out = []
    for name, value, what in (
            ("workload.cpus_copy", "value", "instructions a copy"),
            ("workload.cpus_vmap", "value", "instructions a vmap and vunmap"),
            ("workload.cpus_vmap", "shootdown_ipis", "IPIs a vunmap")):
        out += along_plot(runs, "cpus", lambda run: run.cpus, name, value,
                          ("CPUs", what), ticks=[(n, n) for n in (1, 2, 4, 8)])
    return out


def memory_plots(runs):
    ticks = [(megabytes(m), m) for m in ("32M", "512M", "4G", "64G")]
    return along_plot(runs, "memory", lambda run: megabytes(run.memory),
                      "boot.first_test", "value", ("RAM", "instructions"),
                      ticks=ticks) + \
        along_plot(runs, "memory", lambda run: megabytes(run.memory),
                   "boot.table_memory", "value", ("RAM", "bytes"),
                   ticks=ticks)


def workload_plot(found, model):
    names = sorted({n for results in found.values() for n in results
                    if is_workload(n)})
    series = [(engine, [costs.cycles(results[n], model) if n in results
                        else None for n in names])
              for engine, results in found.items()]
    if not names:
        return []
    return [plots.draw(plots.bars_script(
        "workloads: cycles of a step (model)", "cycles",
        [n.partition(".")[2] for n in names], series))]


def section(title, *content):
    return f"<h2>{parts.text(title)}</h2>\n" + "\n".join(
        c for c in content if c)


def note(words):
    return f"<p>{words}</p>"


def failures(runs):
    rows = [[run.name, run.why] for run in runs if run.state == "failed"]
    return parts.table(["run", "failed"], rows) if rows else ""


def page(runs, model, about):
    """The whole page. about: {what: which} of the build and the machine."""
    found = parts.by_engine(runs)
    events = ("value",) + benchlog.EVENTS
    body = [
        "<h1>Keyhole: what each engine costs, and what it catches</h1>",
        parts.table(["", ""], about.items()),
        note("Instructions and events are counted in QEMU and repeat to the "
             "last one. Cycles are a <span class=\"model\">model</span>: "
             "these counts times published costs, as intervals. Nothing here "
             "is a time."),
        failures(runs),
        section("Engines", parts.engines(runs, model)),
        section("Operations", note("For one iteration."),
                parts.measured(found, is_operation, model),
                parts.skipped(runs)),
        section("Workloads", note("For one step of each; each checks its own "
                                  "results."), *workload_plot(found, model),
                parts.measured(found, is_workload, model)),
        section("Number of frames", *length_plots(found),
                parts.measured(found, is_length, model)),
        section("Number of CPUs", note(
            "What one CPU executes for an operation, while all do the same "
            "with frames of their own."), *cpu_plots(runs),
            parts.over(runs, "cpus", "cpus", (
                "workload.cpus_", "kmap.pair_on_every_cpu",
                "vmap.unmap_256_ipis"), events)),
        section("Memory: boot and page tables", *memory_plots(runs),
                parts.over(runs, "memory", "memory", ("boot.",), events)),
        section("What each engine catches", note(
            "Each row is a bug that is planted (tests/bugs), in a debug build. "
            "What is late is found when the harm is done."),
            parts.caught(runs),
            note("Other suites under the same engines:"), parts.suites(runs)),
        section("The model", parts.model_table(model), note(
            "What the ways of closing a page ask for at the least, by these "
            "costs alone:"), parts.ways(model)),
        section("The answer: for which use which call", note(
            "The cheapest call by the model, its cycles, and how many times "
            "that the next one costs (geometric means of the intervals)."),
            parts.answer(found, model)),
    ]
    return ("<!DOCTYPE html>\n<html lang=\"en\"><head>"
            "<meta charset=\"utf-8\"><title>Keyhole: report</title>"
            f"<style>{STYLE}</style></head><body>\n" + "\n".join(body)
            + "\n</body></html>\n")
