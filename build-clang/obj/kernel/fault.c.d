/tmp/mut2/build-clang/obj/kernel/fault.c.o: kernel/fault.c kernel/fault.h \
  arch/trap.h arch/asm.h lib/types.h include/keyhole.h arch/cpu.h \
  arch/regs.h arch/percpu.h arch/pks.h kernel/backtrace.h \
  kernel/config.h kernel/cmdline.h arch/apic.h lib/boot_info.h \
  lib/memory_map.h kernel/thread.h mm/context.h mm/bracket.h \
  mm/local_window.h arch/pte.h mm/frames.h mm/layout.h mm/domain.h \
  mm/keys.h mm/misuse.h mm/pagetable.h arch/tlb.h mm/section.h

kernel/fault.h:

arch/trap.h:

arch/asm.h:

lib/types.h:

include/keyhole.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

arch/pks.h:

kernel/backtrace.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

lib/boot_info.h:

lib/memory_map.h:

kernel/thread.h:

mm/context.h:

mm/bracket.h:

mm/local_window.h:

arch/pte.h:

mm/frames.h:

mm/layout.h:

mm/domain.h:

mm/keys.h:

mm/misuse.h:

mm/pagetable.h:

arch/tlb.h:

mm/section.h:
