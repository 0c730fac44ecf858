# SPDX-License-Identifier: MIT
#
# The whole build of Keyhole, in one file: kernel, ISO, runs, tests, checks.
# `make help` lists what there is. Everything made goes below $(O), nothing
# into the source tree. Sources are listed by hand, so that a stray file never
# becomes part of the kernel.

MAKEFLAGS += -rR --no-print-directory
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := iso

# --- What a user may set -----------------------------------------------------

O := build#: where everything goes that is made
BUILD := debug#: or release
APP :=#: folder of an application to link in
SCRIPTS :=#: more scripts for the shell, besides apps/*.ks: FILE ...
TEST :=#: tests to run: GLOB[,GLOB]
TESTS := yes#: no leaves the kernel's own tests out
MUTANT :=#: mutants to try: GLOB[,GLOB]
BENCH :=#: benchmarks to run: GLOB[,GLOB]
COSTS :=#: of the report's model, in cycles: NAME=LOW:HIGH ...
ROUNDS := 20#: how often `make crash-rounds` kills the machine
KEYS :=#: in the store of `make bench-store`
ITEMS :=#: in each store of `make yardstick`
MINUTES :=#: how long `make soak` runs its mix
STRAYS := 10000#: of `make chaos`, in each engine
TIMES := 20#: how much longer than a test `make power-cuts` is
PROTECT :=#: engine: pks, exact, open, flip, auto
SMP := 1#: CPUs of the machine
MEM := 512M#: its memory
PMEM :=#: its persistent memory: FILE,SIZE ...; the file is made if need be
CPU := max#: its model: max, qemu64,+pks, ...
FIRMWARE := bios#: or uefi, direct
QEMU := qemu-system-x86_64#: the emulator
APPEND :=#: more words for the kernel's command line
V :=#: 1 shows every command
JOBS := $(shell nproc 2>/dev/null || echo 2)#: at once, in tests

# --- Sources -----------------------------------------------------------------

BOOT_SRCS := \
    boot/ap_trampoline.asm \
    boot/choose.c \
    boot/entry.asm \
    boot/main.c \
    boot/multiboot2.c \
    boot/pvh.c \
    boot/rsdp.c

LIB_SRCS := \
    lib/format.c \
    lib/glob.c \
    lib/memory_map.c \
    lib/number.c \
    lib/string.c

ARCH_SRCS := \
    arch/acpi.c \
    arch/acpi_madt.c \
    arch/acpi_nfit.c \
    arch/acpi_power.c \
    arch/ap_start.c \
    arch/apic.c \
    arch/apic_write.asm \
    arch/cpuid.c \
    arch/percpu.c \
    arch/pic.c \
    arch/pit.c \
    arch/pks.c \
    arch/pks_write.asm \
    arch/power.c \
    arch/probe.asm \
    arch/saved.asm \
    arch/spinlock.c \
    arch/stack_call.asm \
    arch/stacks.asm \
    arch/switch.asm \
    arch/tlb.c \
    arch/trap.c \
    arch/trap_entry.asm \
    arch/uart.c

MM_SRCS := \
    mm/area.c \
    mm/audit.c \
    mm/audit_frames.c \
    mm/audit_leaf.c \
    mm/blocks.c \
    mm/bracket.c \
    mm/bracket_calls$(if $(OPEN_KERNEL),_open).c \
    mm/bracket_cold.asm \
    mm/bracket_misuse.c \
    mm/bracket_pages.c \
    mm/bracket_recall.c \
    mm/bracket_report.c \
    mm/context.c \
    mm/copy.c \
    mm/debugger.c \
    mm/domain.c \
    mm/engine.c \
    mm/engine_exact.c \
    mm/engine_flip.c \
    mm/engine_open.c \
    mm/engine_pks.c \
    mm/exact.asm \
    mm/exact_windows.c \
    mm/flip.asm \
    mm/frame_cache.c \
    mm/frames.c \
    mm/heap.c \
    mm/heap_check.c \
    mm/heap_large.c \
    mm/heap_memory.c \
    mm/heap_report.c \
    mm/heap_slab.c \
    mm/image.c \
    mm/kernel_pages.c \
    mm/keys.c \
    mm/kmap.c \
    mm/local_window.c \
    mm/long_maps.c \
    mm/long_maps_look.c \
    mm/memory.c \
    mm/pagetable.c \
    mm/pagetable_entries.c \
    mm/pagetable_walk.c \
    mm/operation.c \
    mm/pmem.c \
    mm/pmem_find.c \
    mm/pmem_write.c \
    mm/pool.c \
    mm/profile.c \
    mm/section.c \
    mm/stack.c \
    mm/stats.c \
    mm/tables.c \
    mm/tables_only.asm \
    mm/tables_only.c \
    mm/trace.c \
    mm/trace_calls.asm \
    mm/trampoline.c \
    mm/vmap.c \
    mm/vmap_frames.c \
    mm/vmap_range.c \
    mm/vmap_slots.c \
    mm/watch.c \
    mm/watch_leaves.c

KERNEL_SRCS := \
    kernel/audit_print.c \
    kernel/backtrace.c \
    kernel/bracket_print.c \
    kernel/catch.c \
    kernel/cmdline.c \
    kernel/config.c \
    kernel/console.c \
    kernel/cpus.c \
    kernel/fault.c \
    kernel/fault_json.c \
    kernel/fault_mode.c \
    kernel/fault_parts.c \
    kernel/fault_report.c \
    kernel/frame_print.c \
    kernel/guard.c \
    kernel/heap_leaks.c \
    kernel/info.c \
    kernel/interrupt.c \
    kernel/json.c \
    kernel/lineedit.c \
    kernel/lineedit_complete.c \
    kernel/lock_check.c \
    kernel/log.c \
    kernel/lock_order.c \
    kernel/main.c \
    kernel/misuse.c \
    kernel/mutex.c \
    kernel/panic.c \
    kernel/pass.c \
    kernel/profile_print.c \
    kernel/remote.c \
    kernel/run.c \
    kernel/sched.c \
    kernel/sched_idle.c \
    kernel/sched_times.c \
    kernel/shell.c \
    kernel/shell_arguments.c \
    kernel/shell_audit.c \
    kernel/shell_complete.c \
    kernel/shell_fault.c \
    kernel/shell_help.c \
    kernel/shell_loop.c \
    kernel/shell_map.c \
    kernel/shell_memory.c \
    kernel/shell_script.c \
    kernel/shell_stack.asm \
    kernel/shell_top.c \
    kernel/shell_walk.c \
    kernel/shell_watch.c \
    kernel/stall_report.c \
    kernel/step.c \
    kernel/step_call.asm \
    kernel/symbols.c \
    kernel/symbols_table.c \
    kernel/thread.c \
    kernel/thread_look.c \
    kernel/thread_names.c \
    kernel/timer.c \
    kernel/trace_print.c \
    kernel/trap.c \
    kernel/wait_queue.c \
    kernel/watch.c \
    kernel/watchdog.c \
    kernel/wrap.c

FRAMEWORK_SRCS := \
    tests/bench.c \
    tests/bench_line.c \
    tests/engines.c \
    tests/framework.c \
    tests/scratch.c

TEST_SRCS := \
    tests/alias.c \
    tests/bench_block.c \
    tests/bench_cpus.c \
    tests/bench_duties.asm \
    tests/bench_floor.c \
    tests/bench_frames.c \
    tests/bench_irq.c \
    tests/bench_lengths.c \
    tests/bench_parallel.c \
    tests/bench_store.c \
    tests/bench_store_fill.c \
    tests/breakpoint.c \
    tests/handler_stubs.asm \
    tests/handlers.c \
    tests/irq_frames.c \
    tests/leaf_share.c \
    tests/model.c \
    tests/model_check.c \
    tests/model_frames.c \
    tests/model_hostile.c \
    tests/model_maps.c \
    tests/model_steps.c \
    tests/model_threads.c \
    tests/model_threads_check.c \
    tests/model_threads_frames.c \
    tests/model_threads_maps.c \
    tests/pks_access.asm \
    tests/planted.c \
    tests/step_each.c \
    tests/storm.c \
    tests/test_abandoned.c \
    tests/test_audit.c \
    tests/test_audit_finer.c \
    tests/test_copy.c \
    tests/test_cpus.c \
    tests/test_cpus_keys.c \
    tests/test_effort.c \
    tests/test_fault.c \
    tests/test_fault_mode.c \
    tests/test_fault_mode_watch.c \
    tests/test_frame_cache.c \
    tests/test_frame_cache_nmi.c \
    tests/test_frames.c \
    tests/test_heap.c \
    tests/test_heap_memory.c \
    tests/test_heap_misuse.c \
    tests/test_hostile.c \
    tests/test_inlined.c \
    tests/test_irq.c \
    tests/test_irq_entry.c \
    tests/test_irq_nesting.c \
    tests/test_keys.c \
    tests/test_keys_handover.c \
    tests/test_kmap.c \
    tests/test_kmap_shared.c \
    tests/test_layout.c \
    tests/test_lib.c \
    tests/test_migration.c \
    tests/test_look.c \
    tests/test_lines.c \
    tests/test_locks.c \
    tests/test_locks_debug.c \
    tests/test_misuse.c \
    tests/test_misuse_corners.c \
    tests/test_misuse_maps.c \
    tests/test_model.c \
    tests/test_model_threads.c \
    tests/test_panic.c \
    tests/test_peers_local.c \
    tests/test_peers_pks.c \
    tests/test_peers_pku.c \
    tests/test_peers_vmalloc.c \
    tests/test_pks.c \
    tests/test_pks_implicit.c \
    tests/test_pks_matrix.c \
    tests/test_pages.c \
    tests/test_pages_handlers.c \
    tests/test_pmem.c \
    tests/test_probe.c \
    tests/test_profile.c \
    tests/test_range.c \
    tests/test_section.c \
    tests/test_shootdown.c \
    tests/test_soak.c \
    tests/test_shootdown_nmi.c \
    tests/test_stack.c \
    tests/test_stack_call.c \
    tests/test_step.c \
    tests/test_step_maps.c \
    tests/test_store.c \
    tests/test_store_access.c \
    tests/test_storm.c \
    tests/test_tables.c \
    tests/test_thread.c \
    tests/test_thread_misuse.c \
    tests/test_thread_rights.c \
    tests/test_thread_switch.c \
    tests/test_trace.c \
    tests/test_trace_reads.c \
    tests/test_vmap.c \
    tests/test_vmap_areas.c \
    tests/test_vmap_frees.c \
    tests/test_vmap_limits.c \
    tests/test_watch.c \
    tests/test_watch_corners.c \
    tests/test_watchdog.c \
    tests/test_window_moved.c \
    tests/vmap_frames.c \
    tests/watch_ways.c \
    tests/workload.c \
    tests/workload_blocks.c \
    tests/workload_cache.c \
    tests/workload_cpus.c \
    tests/workload_log.c \
    tests/workload_pages.c \
    tests/workload_tables.c \
    tests/workload_vmap.c

APP_SRCS := \
    apps/demo.c \
    apps/store/alloc.c \
    apps/store/check.c \
    apps/store/commit.c \
    apps/store/crc32c.c \
    apps/store/inner.c \
    apps/store/leaf.c \
    apps/store/make.c \
    apps/store/mount.c \
    apps/store/path.c \
    apps/store/shell.c \
    apps/store/shell_bulk.c \
    apps/store/shell_commands.c \
    apps/store/snapshot.c \
    apps/store/snapshot_drop.c \
    apps/store/stats.c \
    apps/store/tree_del.c \
    apps/store/tree_put.c \
    apps/store/tree_read.c \
    apps/store/tx.c \
    apps/store/verify.c \
    apps/store/view.c \
    apps/store/walk.c

# Of all these, what is made small instead of fast.
SMALL_SRCS := \
    $(filter boot/%.c arch/acpi%.c,$(BOOT_SRCS) $(ARCH_SRCS)) \
    lib/format.c \
    lib/memory_map.c \
    $(filter mm/audit%.c,$(MM_SRCS)) \
    mm/heap_report.c \
    mm/long_maps_look.c \
    kernel/audit_print.c \
    kernel/backtrace.c \
    kernel/bracket_print.c \
    kernel/cmdline.c \
    kernel/config.c \
    kernel/cpus.c \
    kernel/fault_report.c \
    kernel/frame_print.c \
    kernel/heap_leaks.c \
    kernel/info.c \
    kernel/json.c \
    kernel/lineedit.c \
    kernel/lineedit_complete.c \
    kernel/profile_print.c \
    $(filter kernel/shell%.c,$(KERNEL_SRCS)) \
    kernel/stall_report.c \
    kernel/symbols.c \
    kernel/symbols_table.c \
    kernel/thread_look.c \
    kernel/thread_names.c \
    kernel/trace_print.c \
    kernel/watchdog.c \
    kernel/wrap.c \
    $(filter apps/store/shell%.c apps/store/check.c,$(APP_SRCS))

TREE_SCRIPTS := \
    apps/faults.ks \
    apps/tour.ks

SRCS := $(BOOT_SRCS) $(LIB_SRCS) $(ARCH_SRCS) $(MM_SRCS) $(KERNEL_SRCS) \
    $(FRAMEWORK_SRCS) $(if $(filter no,$(TESTS)),,$(TEST_SRCS)) $(APP_SRCS)

# --- Tools -------------------------------------------------------------------

# The first of these prefixes that has a linker and, unless the user chose
# another compiler, a gcc. The native tools count on an amd64 machine only.
ifeq ($(filter environment% command%,$(origin CROSS_COMPILE)),)
CROSS_TOOLS := ld objcopy $(if $(filter command%,$(origin CC)),,gcc)
CROSS_COMPILE := $(shell \
    for prefix in x86_64-elf- x86_64-linux-gnu-; do \
        found=yes; \
        for tool in $(CROSS_TOOLS); do \
            command -v $$prefix$$tool >/dev/null 2>&1 || found=; \
        done; \
        if [ $$found ]; then echo $$prefix; break; fi; \
    done)
endif
ifneq ($(origin CC),command line)
CC := $(CROSS_COMPILE)gcc
endif
LD := $(CROSS_COMPILE)ld
OBJCOPY := $(CROSS_COMPILE)objcopy
OBJDUMP := $(CROSS_COMPILE)objdump
NASM := nasm
PYTHON := python3

CC_VERSION := $(shell $(CC) --version 2>/dev/null | head -n 1)
CC_IS_CLANG := $(findstring clang,$(CC_VERSION))

ifeq ($(V),)
Q := @
say = @printf '  %-8s%s\n' '$(1)' '$(2)'
else
Q :=
say = @:
endif

# --- Flags -------------------------------------------------------------------

# Paths in debug information are those of the tree, whatever the machine.
PREFIX_MAPS := -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(abspath $(O))=build

ifneq ($(CC_IS_CLANG),)
CC_TARGET := --target=x86_64-unknown-none-elf
CC_HEADERS := -nostdlibinc
CC_ONLY :=
else
CC_TARGET := -m64
# The last word keeps GCC's limits.h from looking for a C library's.
CC_HEADERS := -nostdinc -D_LIBC_LIMITS_H_ \
    -isystem $(shell $(CC) -print-file-name=include 2>/dev/null)
# Identical functions must stay apart: reports name call sites.
CC_ONLY := -fno-ipa-icf
endif

ifeq ($(BUILD),release)
BUILD_DEFINES := -DKEYHOLE_RELEASE=1
BUILD_FLAGS := -momit-leaf-frame-pointer
else ifeq ($(BUILD),debug)
BUILD_DEFINES := -DKEYHOLE_DEBUG=1
BUILD_FLAGS :=
else
$(error BUILD=$(BUILD): want debug or release)
endif

# A release image has a second kernel in it (boot/choose.h); it is built by a
# make inside, with OPEN_KERNEL=1.
OTHER_KERNEL_AT := 0x400000
ifneq ($(OPEN_KERNEL),)
BUILD_DEFINES += -DKEYHOLE_OPEN=1
# What a call does there is seen through, and with it what lives across it.
CC_ONLY += $(if $(CC_IS_CLANG),,-Wno-clobbered)
endif

# How code for the kernel is made; applications share it.
CODEGEN := $(CC_TARGET) -std=gnu11 -O2 -g -ffreestanding $(CC_HEADERS) \
    -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
    -fno-stack-protector -fno-common -fno-strict-aliasing \
    -fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables \
    -fno-optimize-sibling-calls -fno-omit-frame-pointer \
    -fcf-protection=none $(CC_ONLY) $(BUILD_FLAGS)
WARNINGS := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
    -Wshadow -Wvla -Wundef -Wwrite-strings -Wpointer-arith
CFLAGS := $(CODEGEN) $(PREFIX_MAPS) $(WARNINGS) $(BUILD_DEFINES) -I. -Iinclude
# The maps know prefixes, not folders: an application beside the tree, with a
# name that begins like the tree's, must not go through them.
APP_MAPS = $(if $(filter $(CURDIR)/%,$(abspath $(APP))),$(PREFIX_MAPS))
APP_CFLAGS = $(CODEGEN) $(APP_MAPS) -mno-omit-leaf-frame-pointer -Wall \
    $(BUILD_DEFINES) -Iinclude -iquote .
# No -g: NASM would write the absolute path of the tree into the object.
NASMFLAGS := -f elf64 -I$(O)/include/ -I./ -Werror $(BUILD_DEFINES)
LDFLAGS := -m elf_x86_64 -nostdlib -static \
    -z max-page-size=4096 -z noexecstack --build-id=none \
    $(shell $(LD) --help 2>/dev/null | grep -o -m1 -e --no-warn-rwx-segments)

# --- What is made ------------------------------------------------------------

ELF := $(O)/keyhole.elf
STRIPPED := $(O)/keyhole.stripped
ISO := $(O)/keyhole.iso

OBJS := $(patsubst %,$(O)/obj/%.o,$(SRCS))

# An application's folder may lie anywhere. Its objects go to a folder of its
# own: what is known of another one's files must not count.
APP_OUT := $(O)/app/none
ifneq ($(APP),)
ifneq ($(words $(APP)),1)
$(error APP=$(APP): the path must not contain spaces)
endif
APP_DIR := $(patsubst %/,%,$(APP))
APP_USER_SRCS := $(sort $(wildcard $(APP_DIR)/*.c))
ifeq ($(APP_USER_SRCS),)
$(error APP=$(APP): no *.c file there)
endif
APP_NAME := $(notdir $(abspath $(APP_DIR)))
APP_OUT := $(O)/app/$(APP_NAME)-$(firstword $(shell \
    printf '%s' '$(abspath $(APP_DIR))' | cksum))
# What the default kernel has is not linked in twice.
APP_NEW_SRCS := $(foreach source,$(APP_USER_SRCS),$(if $(filter \
    $(APP_SRCS:%=$(CURDIR)/%),$(abspath $(source))),,$(source)))
APP_OBJS := $(patsubst $(APP_DIR)/%.c,$(APP_OUT)/%.c.o,$(APP_NEW_SRCS))
endif
ALL_OBJS := $(OBJS) $(O)/obj/app_name.o $(O)/obj/scripts.o $(APP_OBJS)

# The shell knows them by their names alone.
ALL_SCRIPTS := $(TREE_SCRIPTS) $(SCRIPTS)
ifneq ($(words $(ALL_SCRIPTS)),$(words $(sort $(notdir $(ALL_SCRIPTS)))))
$(error SCRIPTS=$(SCRIPTS): two scripts with the same name)
endif

ifneq ($(OPEN_KERNEL),)
LDFLAGS += --defsym=KERNEL_LOAD_OTHER=$(OTHER_KERNEL_AT)
endif
ifeq ($(BUILD)$(OPEN_KERNEL),release)
ALL_OBJS += $(O)/obj/other_kernel.o
endif

# The words of a boot that the variables ask for; $(1) comes first.
boot_words = $(strip $(1) $(if $(PROTECT),protect=$(PROTECT)) $(APPEND))
MACHINE = --qemu '$(QEMU)' --cpu '$(CPU)' --memory '$(MEM)' --smp '$(SMP)' \
    $(foreach file,$(PMEM),--pmem '$(file)')

.PHONY: mutants iso elf run test bench bench-boot bench-wall debug lint help clean format
.PHONY: power-cuts install-deps soak docs verify bench-check report bench-check bench-accept bench-release FORCE
.PHONY: chaos crash-rounds
.PHONY: yardstick bench-store
.PHONY: run-machine debug-machine bench-machine soak-machine test-all test-parts test-one

iso: $(ISO) ## Build $(O)/keyhole.iso (default)

elf: $(ELF) $(STRIPPED)

FORCE:

# Rebuild when a flag or a tool changes: the stamp changes with them. Where the
# tree and $(O) are leaves no trace in an object, so objects that were made
# elsewhere are as good. What hangs on $(APP) is in the other stamp.
without_place = $(subst $(CURDIR),.,$(subst -I$(O)/,-I,$(subst \
    -ffile-prefix-map=$(abspath $(O))=build,,$(1))))
define FLAGS_TEXT
$(CC) $(CC_VERSION)
$(call without_place,$(CFLAGS))
$(filter-out $(PREFIX_MAPS),$(APP_CFLAGS))
$(NASM) $(call without_place,$(NASMFLAGS))
endef
define LINK_TEXT
$(LD) $(LDFLAGS)
$(ALL_OBJS)
$(APP_NAME)
$(abspath $(APP_DIR))
$(ALL_SCRIPTS)
endef
export FLAGS_TEXT LINK_TEXT

$(O)/flags.stamp: FORCE
	@mkdir -p $(@D); \
	printf '%s\n' "$$FLAGS_TEXT" | cmp -s - $@ || \
	    printf '%s\n' "$$FLAGS_TEXT" >$@

$(O)/link.stamp: FORCE
	@mkdir -p $(@D); \
	printf '%s\n' "$$LINK_TEXT" | cmp -s - $@ || \
	    printf '%s\n' "$$LINK_TEXT" >$@

# Tests are many and none is in a hurry: small is better.
$(O)/obj/tests/%.c.o: CFLAGS += -Os

# Nor is boot, once, or who reads what these print.
$(SMALL_SRCS:%=$(O)/obj/%.o): CFLAGS += -Os

# What is measured in them is the kernel's inlined code, and code as an
# application has it.
$(addprefix $(O)/obj/,$(addsuffix .o,tests/bench_block.c \
    tests/bench_floor.c tests/bench_frames.c tests/bench_lengths.c \
    tests/bench_store.c $(filter tests/workload%,$(TEST_SRCS)))): CFLAGS += -O2

# Types that only a debugger reads, and no code.
$(O)/obj/mm/debugger.c.o: CFLAGS += -fno-eliminate-unused-debug-types

# Leaves where bad pointers end up keep their frame: the caller is in the report.
$(O)/obj/lib/string.c.o: CFLAGS += -mno-omit-leaf-frame-pointer

$(O)/obj/%.c.o: %.c $(O)/flags.stamp
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# The numbers that assembly shares with C.
$(O)/include/arch/asm.inc: arch/asm.h
	@mkdir -p $(@D)
	$(Q)sed -n 's/^#define \([A-Z0-9_]* [^ ]*\).*/%define \1/p' $< >$@

# NASM 2.16 lists what is included in a run of its own only: not with -MD.
$(O)/obj/%.asm.o: %.asm $(O)/include/arch/asm.inc $(O)/flags.stamp
	$(call say,NASM,$<)
	@mkdir -p $(@D)
	$(Q)$(NASM) $(NASMFLAGS) $< -o $@
	$(Q)$(NASM) $(NASMFLAGS) -M -MP -MT $@ -MF $(@:.o=.d) $<

$(APP_OUT)/%.c.o: $(APP_DIR)/%.c $(O)/flags.stamp $(O)/link.stamp
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(APP_CFLAGS) -I$(APP_DIR) -MMD -MP -c $< -o $@

# Sources that the build writes come through standard input: so their place
# leaves no trace in the object.
$(O)/obj/app_name.o: $(O)/flags.stamp $(O)/link.stamp
	@mkdir -p $(@D)
	$(Q)echo 'extern const char app_name[]; const char app_name[] = "$(APP_NAME)";' | \
	    $(CC) $(filter-out -g,$(CODEGEN)) $(PREFIX_MAPS) -x c -c - -o $@

# kernel/shell_script.c has the form of the table.
$(O)/obj/scripts.o: $(ALL_SCRIPTS) $(O)/flags.stamp $(O)/link.stamp
	@mkdir -p $(@D)
	$(Q){ echo '.section .rodata, "a"'; \
	    for file in $(ALL_SCRIPTS); do n=$$((n + 1)); \
	        echo ".Lname$$n: .asciz \"$${file##*/}\""; \
	        echo ".Ltext$$n: .incbin \"$$file\""; \
	        echo ".Lend$$n:"; \
	    done; \
	    echo '.balign 8; .global shell_scripts; shell_scripts:'; \
	    for i in $$(seq $$n); do \
	        echo ".quad .Lname$$i, .Ltext$$i, .Lend$$i"; \
	    done; echo '.quad 0, 0, 0'; } | \
	    $(CC) $(CC_TARGET) -x assembler -c - -o $@

# The kernel is linked twice: once to know every address, and again with the
# table of symbols and lines made from that. The table stands behind all else,
# so nothing moves; tools/symbols checks that.
link = $(LD) $(LDFLAGS) -T linker.ld -o $@ $(ALL_OBJS)

$(O)/obj/ksyms_empty.o: $(O)/flags.stamp
	@mkdir -p $(@D)
	$(Q)printf '.section .ksyms, "a"\n.balign 8\n.quad 0\n' | \
	    $(CC) $(CC_TARGET) -x assembler -c - -o $@

$(O)/open/keyhole.elf: FORCE
	$(Q)$(MAKE) O=$(O)/open BUILD=release OPEN_KERNEL=1 $@

$(O)/obj/other_kernel.o: $(O)/open/keyhole.elf
	$(call say,OPEN,$@)
	$(Q)$(OBJCOPY) -O binary $< $(O)/open/keyhole.bin
	$(Q){ echo '.global other_kernel_entry'; \
	    $(CROSS_COMPILE)nm $< | \
	        sed -n 's/^\([0-9a-f]*\) . enter_other$$/.set other_kernel_entry, 0x\1/p'; \
	    echo '.section .other_kernel, "a"'; \
	    echo '.incbin "$(O)/open/keyhole.bin"'; } | \
	    $(CC) $(CC_TARGET) -x assembler -c - -o $@

$(O)/pass1.elf: $(ALL_OBJS) $(O)/obj/ksyms_empty.o linker.ld $(O)/link.stamp
	$(Q)$(link) $(O)/obj/ksyms_empty.o

$(O)/ksyms.s: $(O)/pass1.elf tools/symbols tools/elf.py tools/dwarf.py \
    tools/inlines.py tools/rows.py
	$(call say,SYMBOLS,$@)
	$(Q)$(PYTHON) tools/symbols $< $@

$(O)/obj/ksyms.o: $(O)/ksyms.s
	$(Q)$(CC) $(CC_TARGET) -x assembler -c - -o $@ <$<

$(ELF): $(O)/pass1.elf $(O)/obj/ksyms.o
	$(call say,LD,$@)
	$(Q)$(link) $(O)/obj/ksyms.o
	$(Q)$(PYTHON) tools/symbols --check $(O)/pass1.elf $@

$(STRIPPED): $(ELF)
	$(Q)$(OBJCOPY) --strip-all $< $@

$(ISO): $(STRIPPED) grub.cfg tools/mkiso
	$(call say,ISO,$@)
	$(Q)$(PYTHON) tools/mkiso --kernel $(STRIPPED) --config grub.cfg $@

-include $(patsubst %.o,%.d,$(ALL_OBJS))

# --- Runs --------------------------------------------------------------------

# `run`, `test` and `debug` see to it first that the tools are there; only the
# make inside looks for compilers.
run: ## Boot the ISO in QEMU, console on this terminal
	@tools/install-deps run
	@$(MAKE) $(PARALLEL) $(if $(filter direct,$(FIRMWARE)),elf,iso)
	@$(MAKE) run-machine

run-machine:
	@$(PYTHON) tools/run-qemu --build '$(O)' --firmware '$(FIRMWARE)' \
	    $(MACHINE) --words '$(call boot_words,)'

debug: ## The same under GDB; the console goes to $(O)/debug.log
	@tools/install-deps debug
	@$(MAKE) debug-machine

debug-machine: elf
	@$(PYTHON) tools/run-gdb --build '$(O)' $(MACHINE) \
	    --words '$(call boot_words,)'

# Benchmarks are about release builds, unless the command line names another.
BENCH_BUILD := $(if $(filter command%,$(origin BUILD)),$(BUILD),release)

bench: ## Count instructions of BENCH=GLOB (or all), BUILD=release unless given
	@tools/install-deps run
	@$(MAKE) $(PARALLEL) O=$(O)/$(BENCH_BUILD) BUILD=$(BENCH_BUILD) elf
	@$(MAKE) O=$(O)/$(BENCH_BUILD) BUILD=$(BENCH_BUILD) bench-machine

bench-machine:
	@$(PYTHON) tools/run-qemu --build '$(O)' --firmware direct $(MACHINE) \
	    --words '$(call boot_words,bench$(if $(BENCH),=$(BENCH)))' \
	    --limit 300 --only bench --only '# seed=' -- -icount shift=0,sleep=off

# In the release build, whatever BUILD says: the baseline is about that.
BENCH_CHECK = $(PYTHON) tools/bench-check --build '$(O)/release' \
    --baseline tests/bench-baseline.csv --compiler '$(CC_VERSION)' \
    --qemu '$(QEMU)' --jobs $(JOBS) $(if $(PROTECT),--engine $(PROTECT)) \
    $(if $(BENCH),--globs '$(BENCH)')

bench-check: bench-release ## Compare instructions and events with the baseline
	@$(BENCH_CHECK)

bench-accept: bench-release ## Make what they are now the baseline
	@$(BENCH_CHECK) --accept

report: ## Measure every engine, write $(O)/report/index.html: COSTS=
	@tools/install-deps report
	@$(MAKE) $(PARALLEL) O=$(O)/bugs BUILD=debug APP=tests/bugs elf
	@$(MAKE) $(PARALLEL) O=$(O)/release BUILD=release elf
	@$(PYTHON) tools/report --release '$(O)/release' --debug '$(O)/bugs' \
	    --out '$(O)/report' --costs '$(COSTS)' --compiler '$(CC_VERSION)' \
	    --qemu '$(QEMU)' --jobs $(JOBS) $(if $(PROTECT),--engine $(PROTECT))

bench-release:
	@tools/install-deps run
	@$(MAKE) $(PARALLEL) O=$(O)/release BUILD=release elf

bench-store: bench-release ## Measure the store under each engine: KEYS=1000000
	@$(PYTHON) tools/bench-store --build '$(O)/release' --qemu '$(QEMU)' \
	    --jobs $(JOBS) $(if $(KEYS),--keys $(KEYS)) \
	    $(if $(PROTECT),--engine $(PROTECT))

bench-boot: ## Instructions of all CPUs until the first test: on one, and on SMP=8
	@tools/install-deps run
	@$(MAKE) $(PARALLEL) O=$(O)/release BUILD=release elf
	@$(PYTHON) tools/bench-boot $(O)/release \
	    $(if $(filter command%,$(origin SMP)),$(SMP),8) '$(QEMU)'

bench-wall: ## Wall time of a run beside a guest that exits at once; sizes
	@tools/install-deps run
	@$(MAKE) $(PARALLEL) O=$(O)/release BUILD=release elf iso
	@$(MAKE) $(PARALLEL) O=$(O)/release-no-tests BUILD=release TESTS=no elf
	@$(PYTHON) tools/bench-wall $(O)/release $(O)/release-no-tests

# --- Tests -------------------------------------------------------------------

# With one of these on the command line, `make test` is about one machine.
CHOICES := TEST APP PROTECT SMP MEM PMEM CPU FIRMWARE APPEND BUILD CC
CHOSEN := $(strip $(foreach name,$(CHOICES),\
    $(if $(filter command%,$(origin $(name))),$(name))))
VARIANTS := gcc-debug gcc-release clang-debug clang-release
RESULTS := $(O)/test
# prove splits its -e at every space: what may hold one goes by environment.
PROVE = KEYHOLE_BUILD='$(abspath $(O))' KEYHOLE_QEMU='$(QEMU)' \
    KEYHOLE_WORDS='$(2)' KEYHOLE_PMEM='$(PMEM)' prove -j$(JOBS) \
    $(if $(V),-v) -e '$(PYTHON) tools/run-tests --out $(RESULTS) $(1)'
PARALLEL = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

test: ## Run every machine, or one: TEST= APP= PROTECT= SMP= MEM= PMEM= FIRMWARE=
	@tools/install-deps test
	@$(MAKE) $(if $(CHOSEN),$(PARALLEL) test-one,test-all)

test-all:
	@rm -rf $(RESULTS)
	@$(MAKE) $(PARALLEL) test-parts
	@status=0; \
	$(call PROVE,--build $(O)/variant) \
	    $(TOOL_TESTS) $$($(PYTHON) tools/run-tests --list) \
	    $(HOST_TEST_PROGRAMS) $(HOST_FUZZ_SOURCES) || status=1; \
	$(PYTHON) tools/run-tests --junit --out $(RESULTS); \
	echo "Consoles and junit.xml: $(RESULTS)"; exit $$status

test-parts: $(VARIANTS:%=variant-%) host-programs

variant-gcc-%: FORCE
	@$(MAKE) O=$(O)/variant/gcc-$* BUILD=$* CC=$(CROSS_COMPILE)gcc elf iso

variant-clang-%: FORCE
	@$(MAKE) O=$(O)/variant/clang-$* BUILD=$* CC=clang elf iso

test-one: elf $(if $(filter bios uefi,$(TEST_FIRMWARE)),iso)
	@$(call PROVE,--build $(O) --firmware $(TEST_FIRMWARE) --cpu $(CPU) \
	    --memory $(MEM) --smp $(SMP),$(TEST_WORDS)) -v \
	    machine/command-line; status=$$?; \
	$(PYTHON) tools/run-tests --junit --out $(RESULTS); exit $$status

# Minutes: not a part of `make test`.
SOAK_WORDS = $(call boot_words,test=model.long)

# With MINUTES, in a debug build unless the command line names another: that
# knows what was not freed. APPEND comes before the words for the test.
SOAK_MIX_WORDS = $(call boot_words,test=soak.mix) -- minutes=$(MINUTES)

soak: ## A million random calls against a model; MINUTES=n: all of it at once
ifeq ($(MINUTES),)
	@tools/install-deps test
	@$(MAKE) $(PARALLEL) O=$(O)/release BUILD=release elf
	@$(MAKE) O=$(O)/release BUILD=release soak-machine
else
	@tools/install-deps run
	@$(MAKE) $(PARALLEL) elf
	@$(PYTHON) tools/run-qemu --build '$(O)' --firmware direct $(MACHINE) \
	    --words '$(SOAK_MIX_WORDS)' --follow \
	    --limit $$((60 * $(MINUTES) + 300))
endif

soak-machine:
	@$(call PROVE,--build $(O) --firmware direct --cpu $(CPU) \
	    --memory $(MEM) --smp $(SMP) --limit 1800,$(SOAK_WORDS)) -v \
	    machine/command-line

crash-rounds: ## Kill QEMU under load, see that nothing is lost: ROUNDS=
	@tools/install-deps run
	@$(MAKE) $(PARALLEL) O='$(O)/crash' APP=apps/crash elf
	@$(PYTHON) tools/crash-rounds --build '$(O)/crash' $(MACHINE) \
	    --rounds $(ROUNDS) --words '$(call boot_words,)'

TEST_WORDS = $(call boot_words,test$(if $(TEST),=$(TEST)))

# The fast way in, unless the command line names another.
TEST_FIRMWARE := $(if $(filter command%,$(origin FIRMWARE)),$(FIRMWARE),direct)

# First those that build kernels of their own: they take the longest.
TOOL_TESTS := \
    tests/docs/run-docs \
    tests/tools/test-reproducible \
    tests/tools/test-app \
    tests/tools/test-crash \
    tests/tools/test-bugs \
    tests/tools/test-chaos \
    tests/tools/test-bench-check \
    tests/tools/test-bench-store \
    tests/tools/test-crash-rounds \
    tests/tools/test-layers \
    tests/tools/test-loglevel \
    tests/tools/test-nfit \
    tests/tools/test-engines \
    tests/tools/test-gdb \
    tests/tools/test-gdb-brackets \
    tests/tools/test-messages \
    tests/tools/test-mutants \
    tests/tools/test-peers \
    tests/tools/test-reference \
    tests/tools/test-report \
    tests/tools/test-runner \
    tests/tools/test-shell \
    tests/tools/test-shrink \
    tests/tools/test-stick \
    tests/tools/test-store-check \
    tests/tools/test-store-readonly \
    tests/tools/test-store-images \
    tests/tools/test-store-yardstick \
    tests/tools/test-symbolize \
    tests/tools/test-symbols \
    tests/tools/test-trace \
    tests/tools/test-verify

include tests/host/host.mk

# --- Reference ---------------------------------------------------------------

docs: ## Write a page for each call of keyhole.h to $(O)/docs (man9, html)
	@tools/install-deps docs
	@$(MAKE) -s $(O)/docs/html/index.html
	@echo "HTML: $(O)/docs/html/index.html; man -l $(O)/docs/man9/NAME.9"

$(O)/docs/html/index.html: include/keyhole.h tools/reference tools/header.py \
    tools/pages.py
	$(call say,DOCS,$(O)/docs)
	$(Q)$(PYTHON) tools/reference $< $(O)/docs

power-cuts: ## Cut the power of the store's memory, on the host: TIMES=n as long
	@$(MAKE) $(PARALLEL) host-power-cuts

chaos: ## Stray writes into a store at work, by engine: STRAYS=n PROTECT= SMP=
	@tools/install-deps run
	@$(MAKE) $(PARALLEL) O=$(O)/chaos APP=apps/chaos elf
	@$(PYTHON) tools/chaos --build '$(O)/chaos' --strays '$(STRAYS)' \
	    --qemu '$(QEMU)' --cpu '$(CPU)' --memory '$(MEM)' \
	    --smp $(if $(filter command%,$(origin SMP)),$(SMP),2) \
	    $(if $(PROTECT),--engines '$(PROTECT)') --words '$(APPEND)'

verify: ## Check the models of rights and shootdown with spin
	@tools/install-deps verify
	@$(PYTHON) tools/verify --jobs $(JOBS) --out '$(O)/verify'

mutants: ## Break the kernel in every listed way, see tests fail: MUTANT=GLOB
	@tools/install-deps test
	@$(PYTHON) tools/run-mutants --out '$(O)/mutants' '$(or $(MUTANT),*)'

yardstick: ## Instructions of the store beside SQLite's and LMDB's: ITEMS=1000000
	@tools/install-deps yardstick
	@$(MAKE) $(PARALLEL) host-yardstick
	@$(PYTHON) tools/store-yardstick \
	    --program $(O)/host/yardstick/yardstick $(if $(ITEMS),--items $(ITEMS))

# --- Checks ------------------------------------------------------------------

lint: ## Check style, layers, shell scripts; analyse the C code
	@tools/install-deps lint
	@$(MAKE) $(PARALLEL) elf
	@OBJDUMP=$(OBJDUMP) tools/lint $(ELF)

format: ## Format all C code with clang-format
	@tools/install-deps lint
	@clang-format -i $$(git ls-files '*.[ch]')

install-deps: ## Install every Debian package that any target needs
	@tools/install-deps run test lint debug verify report yardstick

clean: ## Remove everything that was built
	@if [ -e $(O) ] && [ ! -e $(O)/flags.stamp ] && [ ! -e $(O)/variant ] && \
	    [ ! -e $(O)/release ] && [ ! -e $(O)/docs/html ] && \
	    [ ! -e $(O)/crash ] && [ ! -e $(O)/chaos ] && \
	    [ ! -e $(O)/verify ]; then \
	    echo "make clean: $(O) was not made by this Makefile" >&2; exit 1; \
	fi; rm -rf $(O)

help: ## Show this list
	@awk -f tools/help.awk $(firstword $(MAKEFILE_LIST))
