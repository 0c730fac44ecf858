/tmp/mut2/build-clang/obj/tests/test_thread_misuse.c.o: \
  tests/test_thread_misuse.c kernel/misuse.h mm/misuse.h arch/asm.h \
  include/keyhole.h lib/types.h kernel/symbols.h tests/framework.h \
  kernel/thread.h mm/context.h mm/bracket.h mm/local_window.h arch/cpu.h \
  arch/regs.h arch/percpu.h arch/pte.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h tests/handlers.h

kernel/misuse.h:

mm/misuse.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

kernel/symbols.h:

tests/framework.h:

kernel/thread.h:

mm/context.h:

mm/bracket.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

arch/pte.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

tests/handlers.h:
