/tmp/mut2/build-clang/obj/arch/spinlock.c.o: arch/spinlock.c \
  arch/spinlock.h arch/cpu.h arch/regs.h arch/asm.h lib/types.h \
  arch/percpu.h include/keyhole.h arch/tlb.h

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

arch/tlb.h:
