/tmp/mut2/build-clang/obj/kernel/thread.c.o: kernel/thread.c \
  kernel/thread.h include/keyhole.h lib/types.h mm/context.h \
  mm/bracket.h arch/asm.h mm/local_window.h arch/cpu.h arch/regs.h \
  arch/percpu.h arch/pte.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h arch/spinlock.h arch/switch.h kernel/sched.h \
  kernel/timer.h lib/panic.h lib/string.h mm/misuse.h mm/stack.h

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

kernel/sched.h:

kernel/timer.h:

lib/panic.h:

lib/string.h:

mm/misuse.h:

mm/stack.h:
