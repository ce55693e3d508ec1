# SPDX-License-Identifier: MIT
# build/ is the only place written to.  Variants: make BUILD=build/x EXTRA_CFLAGS=-DPM_FORCE_NO_POPULATE

BUILD := build
PREFIX := /usr/local
version := $(shell sed -n 's/^\#define POOLMEM_VERSION "\(.*\)"/\1/p' analyzer/cmd/version.h)
DESTDIR :=
CFLAGS ?= -O2 -g
EXTRA_CFLAGS ?=
EXTRA_LDFLAGS ?=
BENCH ?=#                          options of tools/bench/run
ANALYZER_FLAGS ?=#                 e.g. --coverage, -fsanitize=address: the analyzer alone, never the library
FUZZ_RUNS ?= 1000000
export FUZZ_RUNS

warn := -Wall -Wextra -Wundef -Werror
base := -std=gnu11 $(CFLAGS) $(warn) -Iinclude
# gcc may neither fold our own malloc family nor assume what it does
no_alloc := $(addprefix -fno-builtin-,malloc calloc realloc free aligned_alloc memalign posix_memalign)

machine := $(shell $(CC) -dumpmachine)
machines := x86_64-% aarch64-%
# A counter is one exclusive pair, inline: a call of libgcc would cost malloc its short way.
of_machine := $(if $(filter aarch64-%,$(machine)),-mno-outline-atomics)

# Quoted includes start at the component's root; -iquote keeps preload/sys away from <sys/...>.  Headers of preload/ declare
# what is hidden as hidden: else it is reached through a table that is not there yet when the first calls come.
preload_flags := $(base) -iquote preload -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-plt \
	-fno-stack-protector -fasynchronous-unwind-tables $(of_machine) $(no_alloc) $(EXTRA_CFLAGS)
analyzer_flags := $(base) -iquote analyzer -fPIE -fvisibility=hidden $(EXTRA_CFLAGS) $(ANALYZER_FLAGS)
preload_link := -shared -Wl,-soname,libpoolmem.so -Wl,--version-script=preload/exports.map -Wl,-z,defs \
	-Wl,-z,initfirst -Wl,--sort-section=name -Wl,-z,now -Wl,-z,relro -Wl,--as-needed $(EXTRA_LDFLAGS)
analyzer_link := -pie -Wl,-z,defs $(ANALYZER_FLAGS) $(EXTRA_LDFLAGS)
analyzer_libs := -ljansson -ldw -lelf -liberty -lsqlite3 -lpng -lzstd -lz -lm

operators_src := $(wildcard preload/operators/*.c)
preload_src := $(filter-out $(operators_src),$(wildcard preload/*/*.c))
replay_src := $(wildcard analyzer/replay/*.c)
analyzer_src := $(filter-out $(replay_src),$(wildcard analyzer/*/*.c))
preload_obj := $(preload_src:%.c=$(BUILD)/%.o)
analyzer_obj := $(analyzer_src:%.c=$(BUILD)/%.o)
replay_obj := $(replay_src:%.c=$(BUILD)/%.o)
man_pages := $(patsubst analyzer/man/%.scd,$(BUILD)/man/%,$(wildcard analyzer/man/*.scd))

.PHONY: all most what-if demo test check bench soak mutants fuzz coverage install uninstall clean \
	testprogs progs fuzzers fmt format tidy layers bats-lint exports man-lint clang libs FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: most what-if
most: $(BUILD)/libpoolmem.so $(BUILD)/libpoolmem-cxx.so $(BUILD)/poolmem $(BUILD)/poolmem-replay $(man_pages)

$(BUILD)/libpoolmem.so: $(preload_obj) preload/exports.map
	$(CC) $(CFLAGS) $(preload_link) -o $@ $(preload_obj)

$(BUILD)/libpoolmem-cxx.so: $(operators_src:%.c=$(BUILD)/%.o)
	$(CC) $(CFLAGS) -shared -Wl,-soname,$(@F) -Wl,-z,defs -Wl,-z,now -Wl,-z,relro $(EXTRA_LDFLAGS) -o $@ $^

$(BUILD)/poolmem: $(analyzer_obj)
	$(CC) $(CFLAGS) $(analyzer_link) -o $@ $^ $(analyzer_libs)

# libc alone: it runs under allocators, and is none of their users.
$(BUILD)/poolmem-replay: $(replay_obj)
	$(CC) $(CFLAGS) $(analyzer_link) -o $@ $^ -pthread

# What `poolmem replay --what-if` tries: the library built of the same sources with other constants, NAME:FLAG,FLAG.
# As they are only run, they carry nothing for debuggers.
what_if := $(shell sed -n 's/.*X.[A-Z]*, "\([a-z]*\)=\([^"]*\)", BUILT, "\([^"]*\)".*/\1-\2:\3/p' \
	analyzer/study/variants.h | tr ' ' ,)
what_if_so := $(foreach v,$(what_if),$(BUILD)/what-if/$(firstword $(subst :, ,$v))/libpoolmem.so)
comma := ,
# Also where EXTRA_CFLAGS sets another value.
what_if_flags = $(foreach f,$(subst $(comma), ,$(patsubst $*:%,%,$(filter $*:%,$(what_if)))),\
	$(patsubst -D%,-U%,$(firstword $(subst =, ,$f))) $f)
what-if: $(what_if_so)
$(BUILD)/what-if/%/libpoolmem.so: $(BUILD)/libpoolmem.so analyzer/study/variants.h
	@$(MAKE) --no-print-directory BUILD=$(@D) CFLAGS='$(CFLAGS) -g0' EXTRA_LDFLAGS='$(EXTRA_LDFLAGS) -s' \
		EXTRA_CFLAGS='$(EXTRA_CFLAGS) $(what_if_flags)' $@
	@touch $@

# What tests link against: everything below entry/ and life/, everything but main().
$(BUILD)/libheap.a: $(filter-out $(BUILD)/preload/entry/% $(BUILD)/preload/life/%,$(preload_obj))
$(BUILD)/libanalyzer.a: $(filter-out %/cmd/main.o,$(analyzer_obj))
$(BUILD)/lib%.a:
	@rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/preload/%.o: preload/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(preload_flags) -MMD -MP -c -o $@ $<

$(BUILD)/analyzer/%.o: analyzer/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(analyzer_flags) -MMD -MP -c -o $@ $<

$(BUILD)/man/%: analyzer/man/%.scd
	@mkdir -p $(@D)
	scdoc <$< >$@

# Rewritten only when compiler or flags change: that rebuilds all.  Others than ours are refused here, before anything is built.
$(BUILD)/flags: FORCE
	$(if $(filter $(machines),$(machine)),,$(error poolmem runs on x86-64 and aarch64 Linux with glibc; \
		$(CC) builds for $(machine)))
	@mkdir -p $(@D)
	@printf '%s\n' "$$flags" | cmp -s - $@ || printf '%s\n' "$$flags" >$@
$(BUILD)/flags: export flags = $(CC) $(preload_flags) $(analyzer_flags) $(preload_link) $(analyzer_link)

# Tests.  tests/unit/*.c are Criterion tests, tests/fuzz/*.c fuzzers; every other tests/*/*.c and *.cpp is
# a program, or a shared object when its name begins with lib.  A line `/* link: -ldl */` or
# `/* cflags: -O0 */` among the first three of a source adds flags.
unit_src := $(wildcard tests/unit/*.c)
prog_src := $(filter-out tests/unit/% tests/fuzz/%,$(wildcard tests/*/*.c tests/*/*.cpp))
so_src := $(foreach f,$(prog_src),$(if $(filter lib%,$(notdir $f)),$f))
units := $(unit_src:%.c=$(BUILD)/%)
progs := $(addprefix $(BUILD)/,$(basename $(filter-out $(so_src),$(prog_src))))
sos := $(patsubst %,$(BUILD)/%.so,$(basename $(so_src)))
fuzzers := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*.c))

note = $(shell sed -n '1,3s,^/[*/] *$(1): *\([^*]*\)\(\*/\)*$$,\1,p' $<)
test_flags = $(CFLAGS) -O1 $(warn) -Wno-unknown-warning-option -Wno-use-after-free $(no_alloc) -Iinclude \
	-iquote tests -pthread -MMD -MP -MF $@.d -MT $@ $(call note,cflags)
test_cc = $(if $(filter %.cpp,$<),$(CXX) -std=gnu++17,$(CC) -std=gnu11)

testprogs: $(units) progs
progs: $(progs) $(sos)

$(units): $(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/libheap.a $(BUILD)/libanalyzer.a
	@mkdir -p $(@D)
	$(test_cc) $(test_flags) -iquote preload -iquote analyzer $(EXTRA_CFLAGS) $(ANALYZER_FLAGS) -o $@ $< \
		$(BUILD)/libheap.a $(BUILD)/libanalyzer.a $(call note,link) -lcriterion $(analyzer_libs)

# $(call test_rule,source,suffix,flags)
define test_rule
$(BUILD)/$(basename $(1))$(2): $(1) $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(test_cc) $$(test_flags) $(3) -o $$@ $$< $$(call note,link)
endef
$(foreach f,$(filter-out $(so_src),$(prog_src)),$(eval $(call test_rule,$f)))
$(foreach f,$(so_src),$(eval $(call test_rule,$f,.so,-shared -fPIC)))

fuzzers: $(fuzzers)
$(fuzzers): $(BUILD)/fuzz/%: tests/fuzz/%.c $(analyzer_src) $(wildcard analyzer/*/*.h include/poolmem/*.h)
	@mkdir -p $(@D)
	clang $(base) -O1 -iquote analyzer -iquote tests -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $@ $< $(filter-out %/cmd/main.c,$(analyzer_src)) $(analyzer_libs)

test: all testprogs layers exports bats-lint
	@POOLMEM_BUILD=$(BUILD) tests/run test

soak: all testprogs fuzzers
	@POOLMEM_BUILD=$(BUILD) tests/run soak

mutants:
	@tests/mutants

fuzz: fuzzers
	@POOLMEM_BUILD=$(BUILD) SUITES=fuzz tests/run soak

# Line coverage of the analyzer under the tests, file by file.
coverage:
	-@$(MAKE) BUILD=$(BUILD)/coverage CFLAGS='-O0 -g' ANALYZER_FLAGS=--coverage test
	@cd $(BUILD)/coverage && find analyzer -name '*.gcda' -exec gcov -n -s $(CURDIR) -r {} + | \
		awk '/^File/ { f = $$2 } /^Lines/ && f { sub("executed:", "", $$2); print $$2, $$4, f; f = "" }' | sort -k3

demo:
	@tools/demo

# make bench BENCH='-n 9 --only "lua|redis"'; tools/bench/run --help has the rest
bench: $(BUILD)/libpoolmem.so
	@POOLMEM_BUILD=$(BUILD) tools/bench/run --json $(BUILD)/bench.json --plot $(BUILD)/bench.svg $(BENCH)

check: format tidy layers exports man-lint bats-lint clang
	@$(MAKE) --no-print-directory test

sources = $(wildcard $(foreach d,preload analyzer include tests tools,$d/*/*.c $d/*/*.h $d/*/*.cpp))
format:
	clang-format --dry-run --Werror $(sources)
fmt:
	clang-format -i $(sources)

tidy: $(preload_obj:.o=.tidy) $(analyzer_obj:.o=.tidy) $(replay_obj:.o=.tidy)
$(BUILD)/preload/%.tidy: preload/%.c $(BUILD)/preload/%.o .clang-tidy
	clang-tidy --quiet $< -- $(preload_flags) && touch $@
$(BUILD)/analyzer/%.tidy: analyzer/%.c $(BUILD)/analyzer/%.o .clang-tidy
	clang-tidy --quiet $< -- $(analyzer_flags) && touch $@

# What a program that is built by hand from the analyzer's sources links.
libs:
	@echo $(analyzer_libs)
layers:
	@tools/layers
bats-lint:
	@tools/bats-lint
exports: $(BUILD)/libpoolmem.so
	@tools/exports $< preload/exports.map
man-lint: $(man_pages)
	@for page in $^; do groff -man -ww -z -Kutf8 -Tutf8 $$page 2>&1; done | { ! grep .; }
clang:
	@$(MAKE) --no-print-directory CC=clang BUILD=$(BUILD)/clang all

install: all
	install -D -m 755 $(BUILD)/poolmem $(DESTDIR)$(PREFIX)/bin/poolmem
	install -D -m 755 $(BUILD)/poolmem-replay $(DESTDIR)$(PREFIX)/libexec/poolmem/poolmem-replay
	install -D -m 755 $(BUILD)/libpoolmem.so $(DESTDIR)$(PREFIX)/lib/libpoolmem.so
	install -D -m 755 $(BUILD)/libpoolmem-cxx.so $(DESTDIR)$(PREFIX)/lib/libpoolmem-cxx.so
	for so in $(what_if_so:$(BUILD)/%=%); do \
		install -D -m 755 $(BUILD)/$$so $(DESTDIR)$(PREFIX)/libexec/poolmem/$$so || exit; done
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include/poolmem include/poolmem/*.h
	install -d $(DESTDIR)$(PREFIX)/share/pkgconfig
	printf '%s\n' 'prefix=$(PREFIX)' 'Name: poolmem' 'Description: what a program asks libpoolmem.so for' \
		'Version: $(version)' 'Cflags: -I$${prefix}/include' >$(DESTDIR)$(PREFIX)/share/pkgconfig/poolmem.pc
	for page in $(man_pages); do \
		install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man$${page##*.} $$page || exit; done
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/poolmem/gallery analyzer/man/gallery/*.svg

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/poolmem $(DESTDIR)$(PREFIX)/lib/libpoolmem.so \
		$(DESTDIR)$(PREFIX)/lib/libpoolmem-cxx.so
	rm -rf $(DESTDIR)$(PREFIX)/libexec/poolmem
	rm -rf $(DESTDIR)$(PREFIX)/include/poolmem
	rm -f $(DESTDIR)$(PREFIX)/share/pkgconfig/poolmem.pc
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/poolmem
	for page in $(notdir $(man_pages)); do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$page; done

clean:
	rm -rf $(BUILD)

-include $(preload_obj:.o=.d) $(operators_src:%.c=$(BUILD)/%.d) $(analyzer_obj:.o=.d) $(replay_obj:.o=.d) $(addsuffix .d,$(units) $(progs) $(sos))
