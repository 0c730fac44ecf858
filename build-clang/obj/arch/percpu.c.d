/tmp/mut2/build-clang/obj/arch/percpu.c.o: arch/percpu.c arch/percpu.h \
  arch/asm.h include/keyhole.h lib/types.h arch/cpu.h arch/regs.h

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:
