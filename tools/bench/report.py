# SPDX-License-Identifier: MIT
"""What is read out of a record of runs: ratios, geometric means, and how far we are from the best peer."""
import math, statistics

CPU, RSS, WALL, FAULTS = range(4)  # the columns of a run
COLUMNS = ["cpu_s", "peak_rss_kib", "wall_s", "faults"]
OURS = ("poolmem", "uncounted", "sites=all")
LEAST = (1e-3, 1, 1e-6, 1)  # what a figure counts as at least where it is divided by
MEANS = (("time", WALL, 0), ("cpu", CPU, 0), ("peak rss", RSS, 0), ("rss > 10 MiB", RSS, 10 * 1024),
         ("faults", FAULTS, 0))  # the last: programs whose peak under glibc is at most that are left out
TIME_BAR, RSS_BAR, RSS_MORE, LOOSE, ROUNDS = 1.10, 1.25, 2 * 1024, 0.05, 9
COUNT_BAR, COUNT_WORST = 1.02, 1.05
PROFILE_BAR = 0.2  # of what heaptrack costs


def ratios(runs, name, column, base="glibc"):
    """Round by round."""
    return [mine[column] / max(theirs[column], LEAST[column]) for mine, theirs in zip(runs[name], runs[base])]


def median(runs, name, column):
    return statistics.median(run[column] for run in runs[name])


def spread(values):
    """From the smallest to the largest, as a part of the median."""
    return (max(values) - min(values)) / max(statistics.median(values), 1e-9)


def geomean(values):
    return math.exp(statistics.fmean(math.log(max(value, 1e-9)) for value in values)) if values else None


def against(runs, column):
    """Ours to the best peer of a program: (ratio, its name, how far its own runs spread)."""
    peers = [name for name in runs if name not in OURS]
    if "poolmem" not in runs or not peers:
        return None
    best = min(peers, key=lambda name: median(runs, name, column))
    return (statistics.median(ratios(runs, "poolmem", column, best)), best, spread([run[column] for run in runs[best]]))


def rss_missed(runs, best):
    return median(runs, "poolmem", RSS) > RSS_BAR * median(runs, best, RSS) + RSS_MORE


def groups(record):
    """The programs that have runs, apart from the kernels."""
    rows = [row for row, runs in record["programs"].items() if runs.get("glibc")]
    both = {"programs": [row for row in rows if row not in record["kernels"]],
            "kernels": [row for row in rows if row in record["kernels"]]}
    return {group: rows for group, rows in both.items() if rows}


def means(record, rows, only=None):
    """allocator -> {what: geometric mean of the ratios to glibc} over the rows it has (and those of `only`)."""
    result = {}
    for name in record["allocators"]:
        result[name] = {"of": 0}
        for what, column, least in MEANS:
            values = [statistics.median(ratios(runs, name, column)) for runs in map(record["programs"].get, rows)
                      if name in runs and (not only or only in runs) and median(runs, "glibc", RSS) > least]
            result[name][what] = geomean(values)
            result[name]["of"] = max(result[name]["of"], len(values))
    return result


def counting(record, rows):
    """Ours to ours without counters and stamps, CPU: (geometric mean, worst, where), or None."""
    values = [(statistics.median(ratios(runs, "poolmem", CPU, "uncounted")), row)
              for row, runs in ((row, record["programs"][row]) for row in rows) if {"poolmem", "uncounted"} <= set(runs)]
    return (geomean([value for value, _ in values]), *max(values)) if values else None


def profiling(record):
    """Program by program, CPU seconds more than glibc's: (with each block recorded, under heaptrack)."""
    result = {}
    for row, runs in record["programs"].items():
        if {"glibc", "sites=all", "heaptrack"} <= set(runs):
            result[row] = tuple(statistics.median(mine[CPU] - base[CPU] for mine, base in zip(runs[name], runs["glibc"]))
                                for name in ("sites=all", "heaptrack"))
    return result


def summary(record):
    """The same for machines."""
    result = {}
    for group, rows in groups(record).items():
        best = {row: {what: against(record["programs"][row], column) for what, column, _ in MEANS[:3]} for row in rows}
        result[group] = {"geomean": means(record, rows), "counted_to_uncounted": counting(record, rows),
                         "to_best_peer": best}
    result.update({"profiling_cpu_s": profiling(record)} if profiling(record) else {})
    return result


def three_digits(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def row_text(record, row):
    """One program under all allocators."""
    runs, failed = record["programs"][row], record["failed"].get(row, {})
    lines = []
    if "glibc" in runs:
        wall, cpu, rss, faults = (median(runs, "glibc", column) for column in (WALL, CPU, RSS, FAULTS))
        lines.append(f"{row}: glibc {three_digits(wall)} s, cpu {three_digits(cpu)} s, {rss / 1024:.1f} MiB,"
                     f" {faults:.0f} faults")
    else:
        lines.append(f"{row}: not shown")
    for name in record["allocators"]:
        if name in failed:
            lines.append(f"  {name:10} failed: {failed[name]}")
        elif name in runs and name != "glibc":
            cells = []
            for what, column in (("time", WALL), ("cpu", CPU), ("peak rss", RSS)):
                values = ratios(runs, name, column)
                cells.append(f"{what} {statistics.median(values):5.2f} ({min(values):.2f}-{max(values):.2f})")
            cells.append(f"faults {statistics.median(ratios(runs, name, FAULTS)):.2f}")
            lines.append(f"  {name:10} {'   '.join(cells)}")
    return "\n".join(lines)


def means_text(record, group, rows):
    table = means(record, rows)
    lines = [f"geometric mean of {len(rows)} {group}, ratio to glibc",
             " " * 12 + "".join(f"{what:>14}" for what, _, _ in MEANS)]
    for name, row in table.items():
        if row["of"]:
            note = "" if row["of"] == len(rows) else f"   of {row['of']}"
            cells = [f"{'-' if row[what] is None else format(row[what], '.3f'):>14}" for what, _, _ in MEANS]
            lines.append(f"  {name:10}" + "".join(cells) + note)
    for what in ("time", "peak rss"):
        # the best peer over the programs that it and we have run
        shared = means(record, rows, "poolmem")
        best = min((row[what], name) for name, row in shared.items() if name not in OURS and row[what]) \
            if shared.get("poolmem", {}).get("of") else None
        if best:
            ours = means(record, rows, best[1])["poolmem"][what]
            lines.append(f"  {what}: poolmem is at {ours / best[0]:.3f} x the best peer, {best[1]}")
    return "\n".join(lines)


def bar_text(record, rows):
    """Program by program: ours to the best peer."""
    heads = "".join(f"{what:>6}  {'peer':10} spread    " for what in ("time", "cpu"))
    lines = [f"poolmem to the best peer of each: ! more than {TIME_BAR:.2f} x its time,"
             f" or than {RSS_BAR:.2f} x its peak rss + {RSS_MORE // 1024} MiB;",
             f"~ the peer's own runs spread over {LOOSE:.0%} (from smallest to largest): it counts in the means only",
             " " * 18 + heads + "peak rss  peer"]
    for row in rows:
        runs = record["programs"][row]
        if not against(runs, WALL):
            why = record["failed"].get(row, {}).get("poolmem", "no runs of poolmem")
            lines.append(f"  {row:16}not shown: {why}")
            continue
        cells = []
        for column in (WALL, CPU):
            ratio, best, loose = against(runs, column)
            marks = ("!" if ratio > TIME_BAR else " ") + ("~" if loose > LOOSE else " ")
            cells.append(f"{ratio:6.2f}{marks}{best:10} {loose:6.0%}  ")
        ratio, best, _ = against(runs, RSS)
        cells.append(f"{ratio:8.2f}{'!' if rss_missed(runs, best) else ' '} {best:10}"
                     f" {median(runs, 'poolmem', RSS) / 1024:.1f} of {median(runs, best, RSS) / 1024:.1f} MiB")
        lines.append(f"  {row:16}" + "  ".join(cells))
    return "\n".join(lines)


def counting_text(record, rows):
    found = counting(record, rows)
    if not found:
        return None
    mean, worst, where = found
    marks = [" !" if value > bar else "" for value, bar in ((mean, COUNT_BAR), (worst, COUNT_WORST))]
    return (f"counters and stamps, cpu against a build without: geometric mean {mean:.3f}{marks[0]},"
            f" worst {worst:.3f}{marks[1]} ({where})")


def profiling_text(record):
    rows = profiling(record)
    if not rows:
        return None
    lines = [f"each block recorded: cpu seconds more than glibc's, ! more than {PROFILE_BAR:.2f} x those of heaptrack",
             f"{'':18}{'sites=all':>10}{'heaptrack':>11}{'ratio':>8}"]
    for row, (ours, theirs) in rows.items():
        ratio = ours / theirs if theirs > LEAST[CPU] else math.inf
        lines.append(f"  {row:16}{ours:10.3f}{theirs:11.3f}{ratio:8.3f}{' !' if ratio > PROFILE_BAR else ''}")
    return "\n".join(lines)


def text(record):
    """All that is not said program by program."""
    parts = []
    for group, rows in groups(record).items():
        parts += [means_text(record, group, rows), bar_text(record, rows), counting_text(record, rows)]
    done = min((len(runs["glibc"]) for runs in record["programs"].values() if runs.get("glibc")), default=0)
    if 0 < done < ROUNDS:
        parts.append(f"{done} round{'s' if done > 1 else ''} at least: the bars are meant for {ROUNDS} or more")
    parts.append(profiling_text(record))
    if record["start_ms"]:
        base = record["start_ms"]["glibc"]
        parts.append(f"start of /bin/true: {base:.3f} ms without a preload; more with\n" + "\n".join(
            f"  {name:10} {value - base:+.3f} ms" for name, value in record["start_ms"].items() if name != "glibc"))
    if record["not_shown"]:
        parts.append("not shown (tools/setup bench installs what Debian has):\n" + "\n".join(
            f"  {name}: {why}" for name, why in record["not_shown"].items()))
    return "\n\n".join(part for part in parts if part)
