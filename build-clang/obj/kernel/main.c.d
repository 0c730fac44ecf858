/tmp/mut2/build-clang/obj/kernel/main.c.o: kernel/main.c kernel/main.h \
  lib/boot_info.h lib/memory_map.h lib/types.h arch/cpuid.h \
  arch/percpu.h arch/asm.h include/keyhole.h arch/pks.h arch/trap.h \
  kernel/config.h kernel/cmdline.h arch/apic.h kernel/console.h \
  kernel/cpus.h kernel/interrupt.h arch/tlb.h arch/cpu.h arch/regs.h \
  kernel/run.h kernel/thread.h mm/context.h mm/bracket.h \
  mm/local_window.h arch/pte.h mm/frames.h mm/layout.h mm/image.h \
  mm/memory.h

kernel/main.h:

lib/boot_info.h:

lib/memory_map.h:

lib/types.h:

arch/cpuid.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

arch/pks.h:

arch/trap.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

kernel/console.h:

kernel/cpus.h:

kernel/interrupt.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

kernel/run.h:

kernel/thread.h:

mm/context.h:

mm/bracket.h:

mm/local_window.h:

arch/pte.h:

mm/frames.h:

mm/layout.h:

mm/image.h:

mm/memory.h:
