# SPDX-License-Identifier: MIT
"""work.py FILES: that many Java classes that call one another, for a compiler to work on."""
import sys

METHODS = 20

for n in range(int(sys.argv[1])):
    methods = "\n".join(
        f"""    /** Method {m}. */
    public static <T extends Comparable<T>> long m{m}(List<T> list, long seed) {{
        Map<String, List<Integer>> groups = new TreeMap<>();
        for (int i = 0; i < {m + 3}; i++)
            groups.computeIfAbsent("k" + (seed + i) % 7, k -> new ArrayList<>()).add(i * {n + m});
        return groups.values().stream().mapToLong(v -> v.stream().mapToInt(x -> x).sum()).sum()
            + {f'C{n - 1}.m{m}(list, seed + 1)' if n else 'list.size()'};
    }}""" for m in range(METHODS))
    with open(f"C{n}.java", "w") as file:
        file.write(f"import java.util.*;\n\npublic class C{n} {{\n{methods}\n"
                   f"    record R(int a, String b) {{ R {{ if (a < 0) throw new IllegalArgumentException(b); }} }}\n}}\n")
