/tmp/mut2/build-clang/obj/tests/handlers.c.o: tests/handlers.c \
  tests/handlers.h include/keyhole.h lib/types.h arch/asm.h arch/cpu.h \
  arch/regs.h arch/pks.h arch/percpu.h mm/bracket.h

tests/handlers.h:

include/keyhole.h:

lib/types.h:

arch/asm.h:

arch/cpu.h:

arch/regs.h:

arch/pks.h:

arch/percpu.h:

mm/bracket.h:
