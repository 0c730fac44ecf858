/tmp/mut2/build-clang/obj/kernel/sched.c.o: kernel/sched.c kernel/sched.h \
  kernel/thread.h include/keyhole.h lib/types.h mm/context.h \
  mm/bracket.h arch/asm.h mm/local_window.h arch/cpu.h arch/regs.h \
  arch/percpu.h arch/pte.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h arch/spinlock.h arch/switch.h kernel/timer.h lib/panic.h \
  mm/misuse.h

kernel/sched.h:

kernel/thread.h:

include/keyhole.h:

lib/types.h:

mm/context.h:

mm/bracket.h:

arch/asm.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

arch/pte.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/spinlock.h:

arch/switch.h:

kernel/timer.h:

lib/panic.h:

mm/misuse.h:
