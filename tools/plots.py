# SPDX-License-Identifier: MIT
#
# Plots as SVG, to stand in a page: gnuplot draws, and nothing in them comes from
# elsewhere.

import re
import subprocess

SIZE, WIDE = "760,400", "1080,480"
# Told apart without colour too: each line has a mark of its own.
COLOURS = ("#1b6ca8", "#c8553d", "#3a7d44", "#7b4b94", "#b8860b", "#444444")


class PlotError(Exception):
    """gnuplot could not; the text says why."""


def quote(text):
    return "'" + text.replace("'", "''") + "'"


def escape(text):
    """A label as it is: _ and ^ mean something to gnuplot."""
    return quote(re.sub(r"([_^{}@&~\\])", r"\\\1", text))


def blocks(series):
    """Each series as a data block that the script names."""
    lines = []
    for number, (_, points) in enumerate(series):
        lines.append(f"$data{number} << END")
        lines += [" ".join(f"{value:g}" for value in point)
                  for point in points]
        lines.append("END")
    return lines


def header(title, x_label, y_label, size=SIZE):
    return [f"set terminal svg size {size} dynamic font 'sans-serif,13'",
            f"set title {escape(title)}", f"set xlabel {escape(x_label)}",
            f"set ylabel {escape(y_label)}", "set grid ytics lc '#dddddd'",
            "set key outside right top", "set border 3",
            "set tics nomirror"]


def lines_script(title, x_label, y_label, series, log="", ticks=()):
    """series: [(name, [(x, y), ...])]."""
    script = header(title, x_label, y_label)
    script += [f"set logscale {axis} 2" if axis == "x"
               else f"set logscale {axis}" for axis in log]
    if "y" not in log:
        script.append("set yrange [0:*]")
    places = [x for _, points in series for x, _ in points]
    if "x" in log:      # with room, or the last tick is lost to rounding
        script.append(f"set xrange [{min(places) / 1.1:g}:"
                      f"{max(places) * 1.1:g}]")
    if ticks:
        script.append("set xtics (" + ", ".join(
            f"{escape(str(name))} {at:g}" for at, name in ticks) + ")")
    parts = [f"$data{n} with linespoints lw 2 ps 0.7 pt {n + 4} "
             f"lc '{COLOURS[n % len(COLOURS)]}' title {escape(name)}"
             for n, (name, _) in enumerate(series)]
    return script + blocks(series) + ["plot " + ", \\\n  ".join(parts)]


def bars_script(title, y_label, groups, series):
    """Intervals side by side: groups are names along the axis, series is
    [(name, [(low, high) or None for each group])]; a bar goes up to the
    geometric mean, a line from low to high."""
    script = header(title, "", y_label, WIDE)
    script += ["set logscale y", "set boxwidth 0.8 relative",
               "set style fill solid 0.6", "set xtics rotate by -40",
               "set xtics (" + ", ".join(
                   f"{escape(name)} {at}" for at, name in enumerate(groups))
               + ")"]
    width = 0.8 / max(1, len(series))
    data = []
    for number, (name, values) in enumerate(series):
        shift = (number - (len(series) - 1) / 2) * width
        points = [(at + shift, (low * high) ** 0.5, low, high, width * 0.9)
                  for at, (low, high) in
                  ((a, v) for a, v in enumerate(values) if v) if low > 0]
        data.append((name, points))
    parts = []
    for n, (name, _) in enumerate(data):
        colour = COLOURS[n % len(COLOURS)]
        parts.append(f"$data{n} using 1:2:5 with boxes lc '{colour}' "
                     f"title {escape(name)}")
        parts.append(f"$data{n} using 1:3:(0):($4-$3) with vectors nohead "
                     "lw 1.5 lc '#222222' notitle")
    return script + blocks(data) + ["plot " + ", \\\n  ".join(parts)]


def draw(script):
    """The SVG element of a script."""
    done = subprocess.run(["gnuplot"], input="\n".join(script) + "\n",
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    at = done.stdout.find("<svg")
    if done.returncode or at < 0:
        raise PlotError(f"gnuplot: {done.stderr.strip()}")
    return done.stdout[at:]
