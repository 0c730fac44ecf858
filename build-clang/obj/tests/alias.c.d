/tmp/mut2/build-clang/obj/tests/alias.c.o: tests/alias.c tests/alias.h \
  arch/pte.h lib/types.h include/keyhole.h mm/layout.h arch/asm.h \
  mm/pagetable.h arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h

tests/alias.h:

arch/pte.h:

lib/types.h:

include/keyhole.h:

mm/layout.h:

arch/asm.h:

mm/pagetable.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:
