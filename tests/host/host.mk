# SPDX-License-Identifier: MIT
#
# Unit tests and fuzzers that run on the host, under sanitizers. Included by the
# top Makefile, and usable alone from the top folder:
#
#     make -f tests/host/host.mk O=build host-test
#
# Targets: host-test (TAP of one program after the other), host-fuzz (each
# fuzzer, or FUZZ=NAME alone, for FUZZ_SECONDS seconds), host-power-cuts (the
# store's, TIMES as long as in host-test), host-programs (build all, run
# nothing), host-seeds (write the committed seeds that are not text again). For
# a harness that runs programs without arguments, HOST_TEST_PROGRAMS are the
# unit tests and HOST_FUZZ_SOURCES one small script for each fuzzer.

O ?= build
FUZZ_SECONDS ?= 3
TIMES ?= 20
HOST_CC ?= gcc
HOST_FUZZ_CC ?= clang

.PHONY: host-test host-fuzz host-power-cuts host-programs host-seeds host-force
.PHONY: host-yardstick

host-test:
host-fuzz:

host_q := $(if $(V),,@)
host_dir := $(O)/host

# What is tested: no hardware behind any of it.
host_sources := \
	lib/format.c lib/glob.c lib/memory_map.c lib/number.c lib/string.c \
	boot/choose.c boot/multiboot2.c boot/pvh.c boot/rsdp.c \
	arch/acpi.c arch/acpi_madt.c arch/acpi_nfit.c arch/acpi_power.c \
	kernel/cmdline.c kernel/lineedit.c kernel/lineedit_complete.c \
	mm/pmem_find.c
host_support := \
	tests/host/images.c tests/host/medium.c tests/host/medium_pmem.c \
	tests/host/medium_vmap.c \
	tests/host/memory_model.c tests/host/mutex.c tests/host/nfit_table.c \
	tests/host/pmem_report.c \
	tests/host/power_cut.c \
	tests/host/power_cut_images.c tests/host/recorder.c \
	tests/host/terminal.c
host_test_names := \
	string format glob number memory_map multiboot2 pvh acpi madt nfit \
	nfit_bad nfit_power pmem_find cmdline lineedit medium power_cut
host_fuzz_names := \
	multiboot2 pvh acpi memory_map cmdline format lineedit glob symbols

# The store, over a medium of the host's.
host_sources += \
	apps/store/alloc.c apps/store/check.c apps/store/commit.c \
	apps/store/crc32c.c apps/store/inner.c apps/store/leaf.c \
	apps/store/make.c apps/store/mount.c apps/store/path.c \
	apps/store/snapshot.c apps/store/snapshot_drop.c apps/store/stats.c \
	apps/store/tree_del.c apps/store/tree_put.c apps/store/tree_read.c \
	apps/store/tx.c apps/store/verify.c apps/store/view.c apps/store/walk.c
host_support += tests/host/damage.c tests/host/store_help.c
host_test_names += \
	crc32c store store_damage store_memory store_model store_mount \
	store_snapshot store_sound \
	store_threads store_tree

# The store's power cuts and damage.
host_support += tests/host/store_image.c tests/host/store_model.c
host_test_names += store_power
host_fuzz_names += store

HOST_TEST_PROGRAMS := $(host_test_names:%=$(host_dir)/test_%)
host_fuzzers := $(host_fuzz_names:%=$(host_dir)/fuzzers/fuzz_%)
HOST_FUZZ_SOURCES := $(host_fuzz_names:%=$(host_dir)/fuzz_%)

HOST_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-fno-sanitize-recover=all -DKEYHOLE_HOST \
	-Itests/host/shim -I. -Iinclude
host_sanitize := -fsanitize=address,undefined
host_fuzz_sanitize := -fsanitize=fuzzer-no-link,address,undefined

host_objects := $(patsubst %.c,$(host_dir)/unit/%.o, \
	$(host_sources) $(host_support) tests/host/tap.c)
host_fuzz_objects := $(patsubst %.c,$(host_dir)/fuzz/%.o, \
	$(host_sources) $(host_support))

$(host_dir)/unit/%.o: %.c
	$(host_q)mkdir -p $(@D)
	$(host_q)$(HOST_CC) $(HOST_CFLAGS) $(host_sanitize) -MMD -MP -c -o $@ $<

$(host_dir)/fuzz/%.o: %.c
	$(host_q)mkdir -p $(@D)
	$(host_q)$(HOST_FUZZ_CC) $(HOST_CFLAGS) $(host_fuzz_sanitize) -MMD -MP \
		-c -o $@ $<

# Not what a fuzzer is to find its way in.
$(host_support:%.c=$(host_dir)/fuzz/%.o): \
	host_fuzz_sanitize := -fsanitize=address,undefined

$(HOST_TEST_PROGRAMS): $(host_dir)/test_%: \
		$(host_dir)/unit/tests/host/test_%.o $(host_objects)
	$(host_q)$(HOST_CC) $(host_sanitize) -o $@ $^

# With a table of its own.
$(host_dir)/fuzzers/fuzz_symbols: \
	$(host_dir)/fuzz/kernel/symbols.o $(host_dir)/fuzz/kernel/symbols_table.o

$(host_fuzzers): $(host_dir)/fuzzers/fuzz_%: \
		$(host_dir)/fuzz/tests/host/fuzz_%.o $(host_fuzz_objects)
	$(host_q)mkdir -p $(@D)
	$(host_q)$(HOST_FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^

# What one run of run-fuzz is told, apart from the fuzzers.
host_fuzz_run := tests/host/run-fuzz $(FUZZ_SECONDS) tests/host/corpus \
	$(host_dir)/corpus

# Always made again: FUZZ_SECONDS may be another.
$(HOST_FUZZ_SOURCES): $(host_dir)/fuzz_%: $(host_dir)/fuzzers/fuzz_% \
		host-force
	$(host_q)printf '#!/bin/sh\nexec %s\n' '$(host_fuzz_run) $<' >$@
	$(host_q)chmod +x $@

host-force:

$(host_dir)/seeds: $(host_dir)/unit/tests/host/seeds.o \
		$(host_dir)/unit/tests/host/images.o
	$(host_q)$(HOST_CC) $(host_sanitize) -o $@ $^

# For tests/tools/test-store-images.
$(host_dir)/store_files: $(host_dir)/unit/tests/host/store_files.o \
		$(filter-out %/tap.o,$(host_objects))
	$(host_q)$(HOST_CC) $(host_sanitize) -o $@ $^

host-programs: $(host_dir)/store_files $(HOST_TEST_PROGRAMS) $(HOST_FUZZ_SOURCES)

# Every program runs, whatever the ones before it did.
host-test: $(HOST_TEST_PROGRAMS)
	$(host_q)status=0; for program in $(HOST_TEST_PROGRAMS); do \
		echo "# $${program##*/}"; "$$program" || status=1; \
	done; exit $$status

host_fuzz_chosen := $(if $(FUZZ),$(FUZZ:%=$(host_dir)/fuzzers/fuzz_%), \
	$(host_fuzzers))

host-fuzz: $(host_fuzz_chosen)
	$(host_q)$(host_fuzz_run) $(host_fuzz_chosen)

host-power-cuts: $(host_dir)/test_store_power
	$(host_q)KEYHOLE_POWER_CUTS=$(TIMES) $<

host-seeds: $(host_dir)/seeds
	$(host_q)$< tests/host/corpus

# ---- The yardstick: the store and others, compiled as they would be used. The
# store's code, and the kernel's memcpy() and so on, with the kernel's flags.
yardstick_dir := $(host_dir)/yardstick
yardstick_store := $(filter apps/store/%,$(host_sources)) lib/string.c
yardstick_others := main sqlite lmdb
yardstick_objects := $(yardstick_others:%=$(yardstick_dir)/%.o) \
	$(yardstick_dir)/plain.o $(yardstick_store:%.c=$(yardstick_dir)/%.o)
yardstick_flags := -std=gnu11 -O2 -g -Wall -Wextra
yardstick_kernel_flags := -DKEYHOLE_HOST -fno-strict-aliasing \
	-Itests/host/shim -I. -Iinclude

$(yardstick_others:%=$(yardstick_dir)/%.o): $(yardstick_dir)/%.o: \
		tests/host/yardstick/%.c
	$(host_q)mkdir -p $(@D)
	$(host_q)$(HOST_CC) $(yardstick_flags) -MMD -MP -c -o $@ $<

$(yardstick_dir)/plain.o: tests/host/yardstick/plain.c
	$(host_q)mkdir -p $(@D)
	$(host_q)$(HOST_CC) $(yardstick_flags) $(yardstick_kernel_flags) -MMD -MP \
		-c -o $@ $<

$(yardstick_store:%.c=$(yardstick_dir)/%.o): $(yardstick_dir)/%.o: %.c
	$(host_q)mkdir -p $(@D)
	$(host_q)$(HOST_CC) $(yardstick_flags) $(yardstick_kernel_flags) \
		-ffreestanding -mgeneral-regs-only -fcf-protection=none \
		$(if $(filter apps/%,$<),-include tests/host/yardstick/own_string.h) \
		-MMD -MP -c -o $@ $<

$(yardstick_dir)/yardstick: $(yardstick_objects)
	$(host_q)$(HOST_CC) -o $@ $^ -lsqlite3 -llmdb

host-yardstick: $(yardstick_dir)/yardstick

# Objects of programs are made by a chain of rules; keep them.
.SECONDARY: $(host_test_names:%=$(host_dir)/unit/tests/host/test_%.o) \
	$(host_fuzz_names:%=$(host_dir)/fuzz/tests/host/fuzz_%.o)

-include $(shell find $(host_dir) -name '*.d' 2>/dev/null)
