/tmp/mut2/build-clang/obj/tests/test_irq_entry.c.o: \
  tests/test_irq_entry.c arch/cpu.h arch/regs.h arch/asm.h lib/types.h \
  arch/pks.h arch/percpu.h include/keyhole.h kernel/guard.h \
  kernel/remote.h mm/bracket.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h tests/breakpoint.h \
  tests/handlers.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

kernel/guard.h:

kernel/remote.h:

mm/bracket.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

tests/breakpoint.h:

tests/handlers.h:
