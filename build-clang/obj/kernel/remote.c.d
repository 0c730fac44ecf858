/tmp/mut2/build-clang/obj/kernel/remote.c.o: kernel/remote.c \
  kernel/remote.h include/keyhole.h lib/types.h arch/apic.h arch/cpu.h \
  arch/regs.h arch/asm.h arch/percpu.h kernel/interrupt.h arch/tlb.h \
  mm/misuse.h

kernel/remote.h:

include/keyhole.h:

lib/types.h:

arch/apic.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/percpu.h:

kernel/interrupt.h:

arch/tlb.h:

mm/misuse.h:
