/tmp/mut2/build-clang/obj/tests/test_thread.c.o: tests/test_thread.c \
  kernel/thread.h include/keyhole.h lib/types.h mm/context.h \
  mm/bracket.h arch/asm.h mm/local_window.h arch/cpu.h arch/regs.h \
  arch/percpu.h arch/pte.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h kernel/misuse.h mm/misuse.h kernel/sched.h kernel/timer.h \
  mm/audit.h

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

kernel/misuse.h:

mm/misuse.h:

kernel/sched.h:

kernel/timer.h:

mm/audit.h:
