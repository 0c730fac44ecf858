/tmp/mut2/build-clang/obj/tests/test_thread_rights.c.o: \
  tests/test_thread_rights.c arch/asm.h arch/pks.h arch/percpu.h \
  include/keyhole.h lib/types.h kernel/misuse.h mm/misuse.h \
  kernel/timer.h tests/framework.h kernel/thread.h mm/context.h \
  mm/bracket.h mm/local_window.h arch/cpu.h arch/regs.h arch/pte.h \
  mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h \
  tests/handlers.h

arch/asm.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

lib/types.h:

kernel/misuse.h:

mm/misuse.h:

kernel/timer.h:

tests/framework.h:

kernel/thread.h:

mm/context.h:

mm/bracket.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/pte.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

tests/handlers.h:
