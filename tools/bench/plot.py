# SPDX-License-Identifier: MIT
"""Draws a record with gnuplot: time against peak RSS per allocator, and both program by program."""
import math, statistics, subprocess
import report

COLOURS = ["#777777", "#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#882255", "#999933", "#44aa99"]
OURS = "#000000"


def block(name, lines):
    return f"${name} << END\n" + "\n".join(lines) + "\nEND\n"


def colour(record, name):
    """The same in every part; ours are black."""
    peers = [name for name in record["allocators"] if name not in report.OURS]
    return OURS if name in report.OURS else COLOURS[peers.index(name) % len(COLOURS)]


def ends(values, before, after):
    """The range of a logarithmic axis, with room at both ends as parts of its length."""
    low, high = math.log(min(values)), math.log(max(values))
    span = max(high - low, 0.05)
    return f"{math.exp(low - before * span):.4f}:{math.exp(high + after * span):.4f}"


def tics(values):
    """Where a logarithmic axis of ratios is marked: more closely the less it spans."""
    values = [*values, 1]
    low, high = min(values) / 1.3, max(values) * 1.3
    fine = 0.05 if high / low < 2.5 else 0.1 if high / low < 5 else None
    coarse = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100)
    marks = [step * fine for step in range(1, 60)] if fine else coarse
    return ", ".join(f'"{mark:.4g}" {mark:.4f}' for mark in marks if low < mark < high)


def label_heights(points):
    """Where each label stands, as a part of the height: beside its point, or moved where another one is."""
    placed, spans = {}, []
    for axis in (0, 1):
        values = [math.log(point[axis]) for point in points.values()]
        spans.append((min(values), max(max(values) - min(values), 0.01)))
    for name, point in sorted(points.items(), key=lambda item: item[1][1]):
        x, y = ((math.log(point[axis]) - low) / span for axis, (low, span) in enumerate(spans))
        while any(abs(x - x2) < 0.25 and abs(y - y2) < 0.055 for x2, y2 in placed.values()):
            y += 0.01
        placed[name] = (x, y)
    return {name: math.exp(spans[1][0] + y * spans[1][1]) for name, (_, y) in placed.items()}


def scatter(record, group, rows, origin, size):
    table = report.means(record, rows)
    points = {name: (row["time"], row["peak rss"]) for name, row in table.items() if row["of"]}
    heights = label_heights(points)
    lines = [f'{x:.4f} {y:.4f} {heights[name]:.4f} "{name}" {colour(record, name).replace("#", "0x")}'
             for name, (x, y) in points.items()]
    return block(f"means_{group}", lines) + f"""
set origin {origin}; set size {size}
set title "geometric mean of {len(rows)} {group}, ratio to glibc: the best is below, to the left"
set xlabel "time"; set ylabel "peak RSS"; set logscale xy; set format "%g"
set xtics ({tics(x for x, _ in points.values())}); set ytics ({tics(y for _, y in points.values())})
set xrange [{ends([x for x, _ in points.values()], 0.06, 0.25)}]
set yrange [{ends([*heights.values(), *(y for _, y in points.values())], 0.08, 0.08)}]
plot $means_{group} using 1:2:5 with points pt 7 ps 1.2 lc rgb variable notitle, \\
     $means_{group} using 1:2:(0):($3-$2):5 with vectors nohead lc rgb variable notitle, \\
     $means_{group} using 1:3:4:5 with labels left offset 1,0 tc rgb variable notitle
"""


def bars(record, what, column, rows, origin, size):
    names = [name for name in record["allocators"] if name not in ("glibc", *report.OURS)]
    parts, plots, seen = [], [], []
    for at, name in enumerate(["poolmem", *names]):
        lines = []
        for y, row in enumerate(rows):
            runs = record["programs"][row]
            if name in runs:
                value = max(statistics.median(report.ratios(runs, name, column)), 1e-3)
                lines.append(f"{value:.4f} {y}")
                seen.append(value)
        if not lines:
            continue
        parts.append(block(f"{what[0]}{at}", lines))
        if name == "poolmem":
            plots.append(f'${what[0]}{at} using (1):2:(1):1:($2-0.36):($2+0.36) with boxxyerror fs solid 0.35 noborder'
                         f' lc rgb "{OURS}" title "poolmem (bar from glibc = 1)"')
        else:
            plots.append(f'${what[0]}{at} using 1:2 with points pt {(7, 5, 9, 11, 13)[at % 5]} ps 0.9'
                         f' lc rgb "{colour(record, name)}" title "{name}"')
    if not plots:
        return ""
    names = ", ".join(f'"{row}" {y}' for y, row in enumerate(rows))
    return "".join(parts) + f"""
set origin {origin}; set size {size}
set title "{what}, ratio to glibc"
unset xlabel; unset ylabel; unset logscale y; set logscale x; set format x "%g"
set xtics ({tics(seen)}); set ytics ({names})
set xrange [{ends([*seen, 1], 0.04, 0.04)}]; set yrange [{len(rows) - 0.4}:-0.6]
set arrow 1 from 1, graph 0 to 1, graph 1 nohead lc rgb "#555555" front
set key outside bottom center horizontal
plot {", ".join(plots)}
unset arrow 1; unset key; set autoscale
"""


def draw(record, path):
    """To an SVG or PNG file, as its name ends."""
    groups = report.groups(record)
    rows = [row for group in groups.values() for row in group]
    if not rows:
        return
    low, high = 110 + 22 * len(rows), 430
    width, height = 1500, low + high
    share = low / height
    terminal = "svg" if path.endswith(".svg") else "pngcairo"
    font = "Arial,13" if terminal == "svg" else "Sans,10"
    quoted = path.replace("'", "''")
    script = f"""set terminal {terminal} noenhanced size {width},{height} font "{font}" background rgb "white"
set output '{quoted}'
set multiplot
set grid back lt 1 lc rgb "#dddddd"; set tics nomirror; unset key
"""
    for at, (group, part) in enumerate(groups.items()):
        script += scatter(record, group, part, f"{at * 0.5}, {share:.4f}", f"0.5, {1 - share:.4f}")
    script += bars(record, "time", report.WALL, rows, "0, 0", f"0.5, {share:.4f}")
    script += bars(record, "peak RSS", report.RSS, rows, "0.5, 0", f"0.5, {share:.4f}")
    subprocess.run(["gnuplot"], input=script + "unset multiplot\n", text=True, check=True)

