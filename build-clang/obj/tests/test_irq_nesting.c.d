/tmp/mut2/build-clang/obj/tests/test_irq_nesting.c.o: \
  tests/test_irq_nesting.c arch/cpu.h arch/regs.h arch/asm.h lib/types.h \
  arch/pks.h arch/percpu.h include/keyhole.h kernel/guard.h \
  kernel/interrupt.h arch/tlb.h kernel/remote.h mm/bracket.h \
  tests/handlers.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

kernel/guard.h:

kernel/interrupt.h:

arch/tlb.h:

kernel/remote.h:

mm/bracket.h:

tests/handlers.h:
