# SPDX-License-Identifier: MIT
# A C and C++ program of $1 files, built by make, two at a time; with gcc's options where it forks most.
mkdir -p source
for i in $(seq "$1"); do
	cat >"source/f$i.c" <<-C
		#include <stdio.h>
		#include <stdlib.h>
		struct s$i { int a[$i]; };
		int f$i(int n) { struct s$i *s = calloc(1, sizeof *s); s->a[0] = n; n += s->a[0] * $i; free(s); return n; }
	C
done
{
	seq -f 'extern "C" int f%g(int);' "$1"
	echo '#include <iostream>'
	echo '#include <map>'
	echo '#include <stdexcept>'
	echo '#include <string>'
	echo 'int main() { std::map<int, std::string> m; int n = 1;'
	seq -f 'n = f%g(n) %% 10007; m[n] = std::to_string(n);' "$1"
	echo 'try { m.at(-1); } catch (const std::out_of_range &) { std::cout << m.size() << " " << n << "\n"; } }'
} >source/main.cpp
cat >Makefile <<'M'
objects := $(patsubst source/%.c,%.o,$(wildcard source/*.c)) main.o
program: $(objects); g++ -o $@ $^
%.o: source/%.c; gcc -O2 -g -Wall -c -o $@ $<
%.o: source/%.cpp; g++ -O1 -c -o $@ $<
M
make -s -j2 || exit
./program
sha256sum program
gcc -save-temps -pipe -c source/f1.c && sha256sum f1.o
gcc -c source/none.c 2>&1 | head -2
echo 'int main(void) { return undeclared; }' | gcc -x c - -o none
make -s none.o
exit 3
