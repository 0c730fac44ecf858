/tmp/mut2/build-clang/obj/tests/test_step.c.o: tests/test_step.c \
  arch/cpu.h arch/regs.h arch/asm.h lib/types.h arch/pks.h arch/percpu.h \
  include/keyhole.h kernel/misuse.h mm/misuse.h tests/handlers.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

kernel/misuse.h:

mm/misuse.h:

tests/handlers.h:
