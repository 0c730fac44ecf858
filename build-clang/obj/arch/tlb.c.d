/tmp/mut2/build-clang/obj/arch/tlb.c.o: arch/tlb.c arch/tlb.h arch/cpu.h \
  arch/regs.h arch/asm.h lib/types.h arch/percpu.h include/keyhole.h \
  arch/apic.h arch/spinlock.h

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

arch/apic.h:

arch/spinlock.h:
