/tmp/mut2/build-clang/obj/tests/step_each.c.o: tests/step_each.c \
  tests/step_each.h include/keyhole.h arch/cpu.h arch/regs.h arch/asm.h \
  lib/types.h arch/pks.h arch/percpu.h kernel/remote.h mm/bracket.h \
  tests/handlers.h

tests/step_each.h:

include/keyhole.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

kernel/remote.h:

mm/bracket.h:

tests/handlers.h:
