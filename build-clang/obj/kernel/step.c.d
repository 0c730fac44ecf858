/tmp/mut2/build-clang/obj/kernel/step.c.o: kernel/step.c kernel/step.h \
  arch/trap.h arch/asm.h lib/types.h arch/percpu.h include/keyhole.h \
  arch/regs.h mm/misuse.h

kernel/step.h:

arch/trap.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

arch/regs.h:

mm/misuse.h:
