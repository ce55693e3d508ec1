# SPDX-License-Identifier: MIT
"""The programs that are timed: our kernels, programs of Debian with work made for them here, and those of a file."""
import dataclasses, os, random, shlex, shutil, subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "programs")


@dataclasses.dataclass
class Program:
    command: list
    stdin: str = "/dev/null"
    env: dict = dataclasses.field(default_factory=dict)
    plain: str = "-"  # what is preloaded for glibc: its own library where the program is linked with another allocator
    figure: tuple = None  # ("time" or "rate", expression): programs that run for a given time say how much they did
    ready: str = None  # a server: once this path exists the clients run, without a preload, and the last one ends it
    clients: tuple = ()


def found(command):
    """Debian's before others that may come first in PATH."""
    return shutil.which(command, path="/usr/bin:/bin") or shutil.which(command)


def kernels(binary):
    names = subprocess.run([binary], capture_output=True, text=True, check=True).stdout.split()
    return {name: Program([binary, name]) for name in names}


def c_source(functions):
    """Functions with a loop and a switch over the kinds of a list's nodes, each calling an earlier one."""
    random.seed(1)
    lines = ["typedef struct node { struct node *next; int kind; long size; double weight[8]; } node;"]
    for i in range(functions):
        cases = "\n".join(f"case {k}: total += at->size * {random.randrange(99)} + at->weight[{k % 8}];"
                          f" if (total > {random.randrange(10**6)}) at->kind ^= {k}; break;" for k in range(12))
        call = f"f{random.randrange(i)}(at->next, depth - 1)" if i else "0"
        lines.append(f"long f{i}(node *at, int depth)\n{{ long total = 0, seen[16] = {{{i}}};\n"
                     f"for (; at && depth > 0; at = at->next, depth--) {{ switch (at->kind) {{\n{cases}\n"
                     f"default: total += {call}; }} seen[total & 15]++; }}\nreturn total + seen[{i % 16}]; }}")
    return "\n".join(lines) + "\n"


def cxx_source(classes):
    """The standard library's containers and algorithms over a few types: mostly templates, as in most C++."""
    headers = ("algorithm", "functional", "map", "memory", "numeric", "string", "unordered_map", "vector")
    lines = [f"#include <{header}>" for header in headers]
    for i in range(classes):
        lines.append(f"""
struct item{i} {{ int key; std::string name; std::vector<double> sizes; }};
double run{i}(std::vector<item{i}> items)
{{
    std::map<std::string, std::shared_ptr<item{i}>> names;
    std::unordered_map<int, std::vector<item{i} *>> keys;
    std::sort(items.begin(), items.end(), [](auto &a, auto &b) {{ return a.key * {i + 1} < b.key; }});
    for (auto &item : items) {{
        names[item.name] = std::make_shared<item{i}>(item);
        keys[item.key].push_back(&item);
    }}
    std::function<double(item{i} *)> sum = [](item{i} *item) {{
        return std::accumulate(item->sizes.begin(), item->sizes.end(), 0.0);
    }};
    double total = names.size();
    for (auto &[key, list] : keys)
        for (auto *item : list)
            total += sum(item) * key;
    return total;
}}""")
    return "\n".join(lines) + "\n"


def smt_problems(count, steps):
    """Chains of arrays, each the one before with two cells written, and what is said of their cells."""
    random.seed(1)
    lines = []
    for _ in range(count):
        for i in range(steps):
            lines.append(f"(declare-const a{i} (Array Int Int)) (declare-const x{i} Int) (declare-const y{i} Int)")
        for i in range(1, steps):
            lines.append(f"(assert (= a{i} (store (store a{i-1} x{i} (+ y{i-1} {random.randrange(9)}))"
                         f" (+ x{i-1} y{i}) {random.randrange(50)})))")
            lines.append(f"(assert (> (select a{i} (* 2 x{random.randrange(i)})) (+ y{i} (select a{i-1} x{i}))))")
            if i % 5 == 0:
                lines.append(f"(assert (distinct x{i} x{i-1} y{i} (select a{i} y{random.randrange(i)})))")
        lines.append("(check-sat)\n(reset)")
    return "\n".join(lines) + "\n"


def compiler(name, driver, source, scratch):
    """A compiler proper, without its driver, on a source that has been through the preprocessor."""
    if not found(driver):
        return None
    path = os.path.join(scratch, name)
    with open(path, "w") as file:
        file.write(source)
    language = "c++" if name == "cc1plus" else "c"
    driver = found(driver)
    subprocess.run([driver, "-E", "-x", language, "-o", f"{path}.i", path], check=True)
    proper = subprocess.run([driver, f"-print-prog-name={name}"], capture_output=True, text=True, check=True).stdout
    return [proper.strip(), "-quiet", "-O1", "-fpreprocessed", f"{path}.i", "-o", "/dev/null"]


def script(name, *command):
    program = found(command[0])
    return [program, *command[1:], os.path.join(SCRIPTS, name)] if program else None


def z3(scratch):
    if not found("z3"):
        return None
    path = os.path.join(scratch, "z3.smt2")
    with open(path, "w") as file:
        file.write(smt_problems(4, 24))
    return [found("z3"), path]


def redis(scratch):
    """The server is what is measured.  Debian links it with jemalloc, hence `plain`."""
    if not (found("redis-server") and found("redis-benchmark")):
        return None
    socket = os.path.join(scratch, "redis")
    work = ["redis-benchmark", "-s", socket, "-q", "-n", "150000", "-c", "20", "-d", "100", "-r", "50000", "-P", "16",
            "-t", "set,get,incr,lpush,rpop,sadd,hset"]
    server = [found("redis-server"), "--port", "0", "--unixsocket", socket, "--save", "", "--dir", scratch]
    return Program(server, plain="libc.so.6", ready=socket,
                   clients=(work, ["redis-cli", "-s", socket, "shutdown", "nosave"]))


def real(scratch):
    """Programs of Debian, and the packages of those that are not installed."""
    sql, gs = os.path.join(SCRIPTS, "sqlite3.sql"), ["gs", "-q", "-dBATCH", "-dNOPAUSE", "-r100", "-sDEVICE=png16m",
                                                     "-sOutputFile=/dev/null"]
    rows = {
        "python3": (script("python3.py", "python3"), "python3"),
        "perl": (script("perl.pl", "perl"), "perl"),
        "lua": (script("lua.lua", "lua5.4"), "lua5.4"),
        "sqlite3": ([found("sqlite3"), ":memory:"] if found("sqlite3") else None, "sqlite3"),
        "gs": (script("gs.ps", *gs), "ghostscript"),
        "cc1": (compiler("cc1", "gcc", c_source(150), scratch), "gcc"),
        "cc1plus": (compiler("cc1plus", "g++", cxx_source(6), scratch), "g++"),
        "z3": (z3(scratch), "z3"),
        "redis": (redis(scratch), "redis-server and redis-tools"),
    }
    programs = {name: row if isinstance(row, Program) else Program(row) for name, (row, _) in rows.items() if row}
    if "python3" in programs:
        programs["python3"].env["PYTHONMALLOC"] = "malloc"
    if "sqlite3" in programs:
        programs["sqlite3"].stdin = sql
    return programs, {name: f"package {package}" for name, (row, package) in rows.items() if not row}


def listed(path):
    """The programs of a file."""
    programs = {}
    with open(path) as file:
        for number, line in enumerate(file, 1):
            name, *words = shlex.split(line, comments=True) or [None]
            if not name:
                continue
            stdin, figure = words.pop(0) if words else "", None
            if words and words[0].startswith(("time=", "rate=")):
                figure = tuple(words.pop(0).split("=", 1))
            if not words:
                raise SystemExit(f"bench: {path}:{number}: a name, a file or -, and a command are wanted")
            if "/" in words[0]:
                words[0] = os.path.abspath(words[0])
            programs[name] = Program(words, stdin="/dev/null" if stdin == "-" else stdin, figure=figure)
    return programs
