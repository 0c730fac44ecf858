/tmp/mut2/build-clang/obj/tests/framework.c.o: tests/framework.c \
  arch/cpu.h arch/regs.h arch/asm.h lib/types.h arch/percpu.h \
  include/keyhole.h kernel/audit_print.h kernel/backtrace.h \
  kernel/catch.h kernel/config.h kernel/cmdline.h arch/apic.h \
  lib/boot_info.h lib/memory_map.h kernel/console.h kernel/fault.h \
  arch/trap.h kernel/heap_leaks.h kernel/misuse.h mm/misuse.h \
  kernel/run.h kernel/thread.h mm/context.h mm/bracket.h \
  mm/local_window.h arch/pte.h mm/frames.h mm/layout.h lib/glob.h \
  mm/heap.h mm/long_maps.h arch/tlb.h tests/framework.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

kernel/audit_print.h:

kernel/backtrace.h:

kernel/catch.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

lib/boot_info.h:

lib/memory_map.h:

kernel/console.h:

kernel/fault.h:

arch/trap.h:

kernel/heap_leaks.h:

kernel/misuse.h:

mm/misuse.h:

kernel/run.h:

kernel/thread.h:

mm/context.h:

mm/bracket.h:

mm/local_window.h:

arch/pte.h:

mm/frames.h:

mm/layout.h:

lib/glob.h:

mm/heap.h:

mm/long_maps.h:

arch/tlb.h:

tests/framework.h:
