/tmp/mut2/build-clang/obj/arch/trap.c.o: arch/trap.c arch/trap.h \
  arch/asm.h lib/types.h arch/cpu.h arch/regs.h arch/percpu.h \
  include/keyhole.h

arch/trap.h:

arch/asm.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

include/keyhole.h:
