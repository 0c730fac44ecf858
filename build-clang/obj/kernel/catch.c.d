/tmp/mut2/build-clang/obj/kernel/catch.c.o: kernel/catch.c kernel/catch.h \
  include/keyhole.h lib/types.h arch/asm.h arch/cpu.h arch/regs.h \
  arch/percpu.h arch/pks.h kernel/sched.h kernel/thread.h mm/context.h \
  mm/bracket.h mm/local_window.h arch/pte.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h lib/panic.h mm/lock.h arch/spinlock.h

kernel/catch.h:

include/keyhole.h:

lib/types.h:

arch/asm.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

arch/pks.h:

kernel/sched.h:

kernel/thread.h:

mm/context.h:

mm/bracket.h:

mm/local_window.h:

arch/pte.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

lib/panic.h:

mm/lock.h:

arch/spinlock.h:
