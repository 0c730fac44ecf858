/tmp/mut2/build-clang/obj/kernel/timer.c.o: kernel/timer.c kernel/timer.h \
  lib/types.h arch/apic.h arch/cpu.h arch/regs.h arch/asm.h arch/pit.h \
  arch/spinlock.h arch/percpu.h include/keyhole.h kernel/interrupt.h \
  arch/tlb.h

kernel/timer.h:

lib/types.h:

arch/apic.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/pit.h:

arch/spinlock.h:

arch/percpu.h:

include/keyhole.h:

kernel/interrupt.h:

arch/tlb.h:
