# SPDX-License-Identifier: MIT
"""One program under heaptrack, under valgrind's DHAT and under poolmem: are the answers the same?

    agree.py --poolmem POOLMEM --libs DIRECTORY --work DIRECTORY [--stdin FILE] NAME COMMAND...

What each tool counts, and by which rule the figures become equal, to the unit.  Fresh: what malloc, calloc, the aligned
family and realloc(NULL, n) hand out.  Resized: calls of realloc with a block and a size.

  1 allocations  heaptrack and DHAT: fresh + resized.  poolmem: fresh + those resized that moved, with both numbers of
                 reallocs beside it; a block that grows where it is stays the block that it is.
  2 the tools    heaptrack brings libstdc++ and libunwind into the process: what they allocate is not the program's.  libc's
                 list of exit handlers takes a block for each 32, and each tool has handlers of its own: these blocks
                 are counted apart.  poolmem asks for one byte at its start where a program has an address of malloc
                 of its own, to see who answers: that block is of no site.
  3 temporary    poolmem: freed, and the thread had allocated nothing since; calls of realloc that do not move are no
                 allocations, one that moves is one.  heaptrack: freed with nothing else freed since the last
                 allocation, which had the same size and the same stack, be it the same block or not; a realloc is a
                 free and an allocation, and after a free the first stack of all counts as the last.  Both are computed
                 here from heaptrack's record of each call.  Which reallocs move is up to the allocator: all and none
                 of them are the bounds for poolmem's figure.  DHAT has none.
  4 leaked       requested bytes of what is left at the end; valgrind is told not to run libc's and libstdc++'s own
                 clean-up, heaptrack_print not to leave out what it knows of libraries.  heaptrack stops before the
                 destructors of most libraries: poolmem runs once more, to that point.  It also frees one emergency pool
                 of C++ exceptions, its own or the program's.
  5 sites        joined by the module and offset of the innermost DEPTH calls; allocators and operators new are no
                 frames.  DHAT counts a realloc where its block was first allocated; for heaptrack both are known.
  6 addresses    cc1 has a table for each 4 GiB of addresses, made by whoever comes first: the site ends at the function that
                 does so.  Python keeps addresses of types as integers, which take 4 bytes less for each low address,
                 as valgrind's are.
"""
import argparse, collections, ctypes, dataclasses, functools, json, os, re, shutil, subprocess, sys

DEPTH = 4
TOP = 10
EMERGENCY_POOL = 0x11C00  # bytes, of libstdc++
HANDLERS = "__new_exitfn"
TABLES_BY_ADDRESS = "ggc_internal_alloc("  # of cc1
ADDRESSES_KEPT = "add_subclass"  # by Python
HEAPTRACK = "/usr/lib/heaptrack/"
PRELOAD, INTERPRET = HEAPTRACK + "libheaptrack_preload.so", HEAPTRACK + "libexec/heaptrack_interpret"
VALGRIND = shutil.which("valgrind.bin") or "valgrind"  # Debian's is a script that sets LD_LIBRARY_PATH
POOLMEM_SETTINGS = "sites=all,gen.threshold=1000000000:10:10"  # no epoch turns: a temporary block is one of the same epoch


class Tool:
    """What one of them said.  sites: the innermost calls -> allocations."""

    def __init__(self):
        self.sites = collections.Counter()
        self.figures = {}
        self.handlers = 0

    def set_apart(self, is_handlers):
        """Rule 2."""
        for calls in [calls for calls in self.sites if is_handlers(calls)]:
            self.handlers += self.sites.pop(calls)


class Differs(Exception):
    pass


def run(command, options, **environment):
    environment = dict(os.environ, ALIKE_PROGRAM=options.command[0], **environment)
    with open(options.stdin) as stdin:
        ran = subprocess.run(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                             cwd=options.work + "/empty", preexec_fn=same_addresses)
    if ran.returncode:
        sys.exit(f"agree: {command[0]}: exit status {ran.returncode}: {ran.stderr.decode(errors='replace')[-2000:]}")
    return ran.stdout


def same_addresses():
    """What depends on where things are, does so in the same way."""
    ctypes.CDLL(None).personality(0x0040000)  # ADDR_NO_RANDOMIZE


@functools.lru_cache(None)
def real(path):
    return os.path.realpath(path)


def is_fixed(path):
    """Linked to one address: offsets are the addresses themselves."""
    with open(path, "rb") as file:
        return file.read(18)[16] == 2


class Births:
    """poolmem's rule for temporary blocks, were all reallocs to move and were none to."""

    def __init__(self):
        self.all_move = self.none_moves = 0
        self.temporary = [0, 0]

    def born(self, resized):
        """The last births, and with them this block's; `resized`: what it was before a realloc."""
        self.all_move += 1
        self.none_moves += not resized
        return self.all_move, resized.birth[1] if resized else self.none_moves

    def died(self, block):
        self.temporary[0] += block.birth[0] == self.all_move
        self.temporary[1] += block.birth[1] == self.none_moves


@dataclasses.dataclass
class Block:
    info: tuple  # size and trace
    origin: tuple  # the calls that allocated it, before any realloc
    birth: tuple


# --- heaptrack's record of each call ---------------------------------------------------------------------------------

class Heaptrack(Tool):
    def __init__(self, options, own, site):
        """own: the modules that the program has without heaptrack; site: of calls, those that tell sites apart."""
        super().__init__()
        self.own, self.site = own, site
        self.raw, self.program = os.path.join(options.work, "heaptrack.raw"), real(options.command[0])
        self.resized, self.origins = collections.Counter(), collections.Counter()
        if os.path.exists(self.raw):
            os.unlink(self.raw)  # it would write over a longer one and leave the rest
        self.output = run(options.command, options, DUMP_HEAPTRACK_OUTPUT=self.raw, ALIKE_MAP=self.raw + ".map",
                          LD_PRELOAD=f"{options.libs}/libalike.so {options.libs}/librealloc.so {PRELOAD}")
        self.modules, self.traces = [], [(None, None)]
        self.read()

    def set_apart(self, is_handlers):
        super().set_apart(is_handlers)
        for calls in [calls for calls in self.origins if is_handlers(calls)]:
            del self.origins[calls]

    def frame(self, address):
        for begin, end, base, path in self.modules:
            if begin <= address < end:
                return path, address - base
        return "?", address

    def module(self, fields):
        if fields[0] == "-":
            self.modules = []
            return
        path = self.program if fields[0] == "x" else real(fields[0])
        numbers = [int(field, 16) for field in fields[1:]]
        base = numbers.pop(0)
        for at, size in zip(numbers[::2], numbers[1::2]):
            self.modules.append((base + at, base + at + size, base, path))

    @functools.lru_cache(None)
    def stack_of(self, trace):
        """(the innermost calls, whether it is a realloc)."""
        frames = []
        while trace and len(frames) < 2 * DEPTH:
            frame, trace = self.traces[trace]
            frames.append(frame)
        names = [os.path.basename(frame[0]) for frame in frames]
        tools = ("librealloc.so", os.path.basename(PRELOAD))
        return self.site([frame for frame, name in zip(frames, names) if name not in tools]), tools[0] in names

    def events(self):
        """(kind, address, size, trace): + - and, for a realloc, = with the address that it had."""
        freed = None
        with open(self.raw) as file:
            for line in file:
                kind, *fields = line.split()
                if kind == "m":
                    self.module(fields[1:])
                elif kind == "t":
                    self.traces.append((self.frame(int(fields[0], 16)), int(fields[1], 16)))
                elif kind == "+":
                    size, trace, address = (int(field, 16) for field in fields)
                    if self.stack_of(trace)[1]:
                        yield "=", freed, address, size, trace
                        freed = None
                        continue
                    if freed is not None:
                        yield "-", freed, None, None, None
                        freed = None
                    yield "+", None, address, size, trace
                elif kind == "-":
                    if freed is not None:
                        yield "-", freed, None, None, None
                    freed = int(fields[0], 16)
        if freed is not None:
            yield "-", freed, None, None, None

    def is_brought(self, trace):
        return self.stack_of(trace)[0][0][0] not in self.own

    def read(self):
        live, births = {}, Births()
        self.by_print, first, last = 0, None, None
        brought, has_pool = 0, False
        for kind, old, address, size, trace in self.events():
            known = live.pop(old, None)
            if known:
                self.by_print += known.info == last
                last = first
            if kind == "-":
                if known:
                    births.died(known)
                continue
            last = size, trace
            first = first or last
            has_pool |= size == EMERGENCY_POOL
            brought += self.is_brought(trace)
            origin = known.origin if kind == "=" and known else self.stack_of(trace)[0]
            if not self.is_brought(trace):
                calls = self.stack_of(trace)[0]
                (self.sites if kind == "+" else self.resized)[calls] += 1
                self.origins[origin] += 1
            live[address] = Block(last, origin, births.born(known if kind == "=" else None))
        left = [block.info[0] for block in live.values()]
        kept_pool = [EMERGENCY_POOL] if has_pool and not brought else []
        self.figures = {"temporary": births.temporary, "brought": brought, "left": sum(left),
                        "leaked": (sum(left + kept_pool), len(left + kept_pool))}

    def printed(self, options):
        """What heaptrack_print says of the same record."""
        path, stacks = os.path.join(options.work, "heaptrack.txt"), os.path.join(options.work, "heaptrack.stacks")
        with open(self.raw) as raw, open(path, "w") as out:
            subprocess.run([INTERPRET], stdin=raw, stdout=out, stderr=subprocess.DEVNULL, check=True)
        text = subprocess.run(
            ["heaptrack_print", "-f", path, "-F", stacks, "--flamegraph-cost-type", "leaked", "-p0", "-a0", "-T0",
             "--disable-builtin-suppressions", "--disable-embedded-suppressions"],
            capture_output=True, text=True, check=True).stdout
        with open(stacks) as file:
            leaked = sum(int(line.rsplit(None, 1)[1]) for line in file)
        return {"allocations": int(re.search(r"calls to allocation functions: (\d+)", text)[1]),
                "temporary": int(re.search(r"temporary memory allocations: (\d+)", text)[1]), "leaked": leaked}


# --- DHAT ------------------------------------------------------------------------------------------------------------

def mapped(path):
    """[(begin, end, base, module)] of a memory map."""
    bases, found = {}, []
    with open(path) as file:
        for line in file:
            fields = line.split()
            if len(fields) < 6 or not os.path.isfile(fields[5]):
                continue
            begin, end = (int(field, 16) for field in fields[0].split("-"))
            base = bases.setdefault(fields[5], 0 if is_fixed(fields[5]) else begin)
            found.append((begin, end, base, real(fields[5])))
    return found


class Dhat(Tool):
    def __init__(self, options, site):
        super().__init__()
        path = os.path.join(options.work, "dhat.json")
        self.output = run([VALGRIND, "-q", "--tool=dhat", f"--dhat-out-file={path}", "--run-libc-freeres=no",
                           "--run-cxx-freeres=no", "--read-inline-info=no", "--show-below-main=yes",
                           "--num-callers=30", "--vgdb=no", *options.command],
                          options, ALIKE_MAP=path + ".map", LD_PRELOAD=f"{options.libs}/libalike.so")
        self.modules, self.bytes = mapped(path + ".map"), collections.Counter()
        with open(path) as file:
            report = json.load(file)
        frames = [self.frame(text) for text in report["ftbl"]]
        for point in report["pps"]:
            calls = site([frames[i] for i in point["fs"] if frames[i]])
            self.sites[calls] += point["tbk"]
            self.bytes[calls] += point["eb"]
        self.figures = {"leaked": sum(point["eb"] for point in report["pps"]),
                        "leaked blocks": sum(point["ebk"] for point in report["pps"])}

    def frame(self, text):
        match = re.match(r"0x([0-9A-F]+):", text)
        if not match:
            return None
        address = int(match[1], 16)
        for begin, end, base, path in self.modules:
            if begin <= address < end:
                return None if "vgpreload" in path else (path, address - base)
        return None


# --- poolmem ---------------------------------------------------------------------------------------------------------

class Poolmem(Tool):
    def __init__(self, options):
        super().__init__()
        path = os.path.join(options.work, "capture.pm")
        self.moved, self.names, self.bytes = collections.Counter(), {}, collections.Counter()
        self.output, report = self.record(options, path)
        everything, metrics = report["all"], report["metrics"]
        stacks = [self.calls([report["frames"][i] for i in site["frames"]]) for site in report["sites"]]
        for calls, site in zip(stacks, report["sites"]):
            calls = self.site(calls)
            self.sites[calls] += site["allocated"] - site["moved"]
            self.moved[calls] += site["moved"]
            self.bytes[calls] += site["live_requested_bytes"]
        stopped = self.record(options, path + ".stopped", ALIKE_STOP="1")[1]["all"]
        self.figures = {"allocated": metrics["alloc.count"], "reallocs": metrics["realloc.count"],
                        "moved": metrics["realloc.moved"], "temporary": everything["temporary"],
                        "leaked": everything["live_requested_bytes"], "leaked blocks": everything["live"],
                        "stopped": (stopped["live_requested_bytes"], stopped["live"]),
                        "dropped": report["dropped_stacks"] + report["dropped_blocks"],
                        "epochs": metrics["gen.0.sweeps"]}

    @staticmethod
    def record(options, path, **environment):
        output = run([options.poolmem, "run", "-f", "-o", path, "--", *options.command], options,
                     POOLMEM=POOLMEM_SETTINGS, ALIKE_MAP=path + ".map", LD_PRELOAD=f"{options.libs}/libalike.so",
                     **environment)
        return output, json.loads(subprocess.run([options.poolmem, "sites", "--json", "-n", "0", path], check=True,
                                                 capture_output=True).stdout)

    def calls(self, frames):
        """Return addresses less one, as the others have them."""
        frames = [frame for frame in frames if not frame["inlined"]]
        calls = [(real(frame["module"]) if frame["module"] else "?", frame["address"] - 1) for frame in frames]
        for call, frame in zip(calls, frames):
            self.names[call] = frame["function"] or f"{os.path.basename(call[0])}+{call[1]:#x}"
        return calls

    def site(self, calls):
        """The innermost calls that tell a site apart, by our names."""
        kept = []
        for call in calls:
            name = self.names.get(call, "")
            if name.startswith("operator new"):
                continue
            kept.append(call)
            if len(kept) == DEPTH or name == HANDLERS or name.startswith(TABLES_BY_ADDRESS):
                break
        return tuple(kept)

    def is_handlers(self, calls):
        return bool(calls) and self.names.get(calls[0]) == HANDLERS


# --- the rules -------------------------------------------------------------------------------------------------------

def expect(what, one, other, problems):
    if one != other:
        problems.append(f"{what}: {one} and {other}")


def same_sites(what, one, other, names, problems):
    for calls in sorted(one.keys() | other.keys(), key=str):
        if one[calls] != other[calls]:
            problems.append(f"{what}: {one[calls]} and {other[calls]} at {where(calls, names)}")


def lower(poolmem, dhat, problems=None):
    """Bytes by which addresses that Python keeps are shorter under valgrind."""
    kept = [calls for calls in poolmem.sites if ADDRESSES_KEPT in (poolmem.names.get(call) for call in calls)]
    less = sum(poolmem.bytes[calls] - dhat.bytes[calls] for calls in kept)
    if problems is not None and not (less % 4 == 0 and 0 <= less <= 4 * sum(poolmem.sites[calls] for calls in kept)):
        problems.append(f"addresses that Python keeps: {less} bytes less under valgrind")
    return less


def probes(poolmem):
    """Blocks that were counted and are of no site."""
    return poolmem.figures["allocated"] - poolmem.figures["moved"] - poolmem.handlers - poolmem.sites.total()


def compare(heaptrack, printed, dhat, poolmem):
    """Every difference that no rule explains."""
    problems = []
    ours, theirs = poolmem.figures, heaptrack.figures
    fresh = poolmem.sites.total()
    if probes(poolmem) not in (0, 1):
        problems.append(f"poolmem: {probes(poolmem)} blocks are of no site")
    expect("output", heaptrack.output == dhat.output == poolmem.output, True, problems)
    expect("rows without room, epochs", (ours["dropped"], ours["epochs"]), (0, 0), problems)
    expect("heaptrack_print, its record: allocations", printed["allocations"], heaptrack.sites.total()
           + heaptrack.handlers + heaptrack.resized.total() + theirs["brought"], problems)
    expect("heaptrack_print, its record: temporary", printed["temporary"], heaptrack.by_print, problems)
    expect("heaptrack_print, its record: leaked bytes", printed["leaked"], theirs["left"], problems)
    expect("fresh, poolmem and heaptrack", fresh, heaptrack.sites.total(), problems)
    expect("reallocs, poolmem and heaptrack", ours["reallocs"], heaptrack.resized.total(), problems)
    expect("fresh and resized, poolmem and DHAT", fresh + ours["reallocs"], dhat.sites.total(), problems)
    expect("leaked bytes and blocks, poolmem and heaptrack", ours["stopped"], theirs["leaked"], problems)
    expect("leaked blocks, poolmem and DHAT", ours["leaked blocks"], dhat.figures["leaked blocks"], problems)
    expect("leaked bytes, poolmem and DHAT", ours["leaked"],
           dhat.figures["leaked"] + lower(poolmem, dhat, problems), problems)
    low, high = sorted(theirs["temporary"])
    if not low <= ours["temporary"] <= high:
        problems.append(f"temporary: poolmem {ours['temporary']}, by its rule {low} to {high}")
    same_sites("fresh by site, poolmem and heaptrack", poolmem.sites, heaptrack.sites, poolmem.names, problems)
    expect("moved, poolmem by site and in all", poolmem.moved.total(), ours["moved"], problems)
    for calls in poolmem.moved - heaptrack.resized:
        problems.append(f"more moved than resized at {where(calls, poolmem.names)}")
    same_sites("by site, heaptrack and DHAT", heaptrack.origins, dhat.sites, poolmem.names, problems)
    return problems


def table(name, heaptrack, printed, dhat, poolmem):
    ours, theirs = poolmem.figures, heaptrack.figures
    low, high = sorted(theirs["temporary"])
    fresh = poolmem.sites.total()
    rows = [
        ("allocations, as each says", printed["allocations"], dhat.sites.total() + dhat.handlers, ours["allocated"]),
        ("  of the tool itself", theirs["brought"], 0, probes(poolmem)),
        ("  of libc, for exit handlers", heaptrack.handlers, dhat.handlers, poolmem.handlers),
        ("  fresh", heaptrack.sites.total(), "-", fresh),
        ("  calls of realloc", heaptrack.resized.total(), "-", ours["reallocs"]),
        ("  of them counted: moved", "-", "-", ours["moved"]),
        ("fresh and resized", heaptrack.sites.total() + heaptrack.resized.total(), dhat.sites.total(),
         fresh + ours["reallocs"]),
        ("temporary, as each says", printed["temporary"], "-", ours["temporary"]),
        ("  by poolmem's rule", low if low == high else f"{low}..{high}", "-", ours["temporary"]),
        ("leaked bytes, as each says", printed["leaked"], dhat.figures["leaked"], ours["leaked"]),
        ("  where heaptrack stops", theirs["leaked"][0], "-", ours["stopped"][0]),
        ("  with addresses as valgrind's", "-", dhat.figures["leaked"], ours["leaked"] - lower(poolmem, dhat)),
    ]
    print(f"{name:32}{'heaptrack':>14}{'DHAT':>14}{'poolmem':>14}")
    for row in rows:
        print("{:32}{:>14}{:>14}{:>14}".format(*row))
    called = heaptrack.sites + heaptrack.resized
    print(f"the top {TOP} of {len(called)} sites, a realloc counted")
    print(f"{'':44}{'as called':>9}{'if moved':>9}{'where first allocated':>22}")
    print(f"{'':44}{'heaptrack':>9}{'poolmem':>9}{'heaptrack':>11}{'DHAT':>11}")
    for calls, count in called.most_common(TOP):
        print(f"  {where(calls, poolmem.names)[:42]:42}{count:>9}{poolmem.sites[calls] + poolmem.moved[calls]:>9}"
              f"{heaptrack.origins[calls]:>11}{dhat.sites[calls]:>11}")


def where(calls, names):
    """The innermost function that is no wrapper of malloc, and who called it."""
    called = [names.get(call, f"{os.path.basename(call[0])}+{call[1]:#x}") for call in calls]
    own = [i for i, name in enumerate(called) if not re.search("alloc|strdup", name, re.IGNORECASE)]
    return " < ".join(called[own[0] if own else 0:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--poolmem", required=True)
    parser.add_argument("--libs", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--stdin", default="/dev/null")
    parser.add_argument("name")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    os.makedirs(options.work + "/empty", exist_ok=True)
    poolmem = Poolmem(options)
    dhat = Dhat(options, poolmem.site)
    heaptrack = Heaptrack(options, {path for _, _, _, path in dhat.modules} | {"?"}, poolmem.site)
    for tool in (heaptrack, dhat, poolmem):
        tool.set_apart(poolmem.is_handlers)
    answers = heaptrack, heaptrack.printed(options), dhat, poolmem
    table(options.name, *answers)
    problems = compare(*answers)
    for problem in problems[:40]:
        print("differs:", problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
