/tmp/mut2/build-clang/obj/arch/pks.c.o: arch/pks.c arch/pks.h \
  arch/percpu.h arch/asm.h include/keyhole.h lib/types.h arch/cpu.h \
  arch/regs.h arch/tlb.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/tlb.h:
