/tmp/mut2/build-clang/obj/tests/bench_irq.c.o: tests/bench_irq.c \
  arch/asm.h kernel/interrupt.h arch/tlb.h arch/cpu.h arch/regs.h \
  lib/types.h arch/percpu.h include/keyhole.h tests/handlers.h

arch/asm.h:

kernel/interrupt.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

tests/handlers.h:
