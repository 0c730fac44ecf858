/tmp/mut2/build-clang/obj/kernel/trap.c.o: kernel/trap.c arch/trap.h \
  arch/asm.h lib/types.h arch/cpu.h arch/regs.h arch/percpu.h \
  include/keyhole.h arch/pks.h arch/tlb.h kernel/catch.h kernel/config.h \
  kernel/cmdline.h arch/apic.h lib/boot_info.h lib/memory_map.h \
  kernel/fault.h kernel/interrupt.h kernel/remote.h kernel/sched.h \
  kernel/thread.h mm/context.h mm/bracket.h mm/local_window.h arch/pte.h \
  mm/frames.h mm/layout.h kernel/step.h lib/panic.h mm/domain.h \
  mm/keys.h mm/misuse.h

arch/trap.h:

arch/asm.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

include/keyhole.h:

arch/pks.h:

arch/tlb.h:

kernel/catch.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

lib/boot_info.h:

lib/memory_map.h:

kernel/fault.h:

kernel/interrupt.h:

kernel/remote.h:

kernel/sched.h:

kernel/thread.h:

mm/context.h:

mm/bracket.h:

mm/local_window.h:

arch/pte.h:

mm/frames.h:

mm/layout.h:

kernel/step.h:

lib/panic.h:

mm/domain.h:

mm/keys.h:

mm/misuse.h:
