/tmp/mut2/build-clang/obj/tests/test_misuse.c.o: tests/test_misuse.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  kernel/misuse.h mm/misuse.h kernel/symbols.h lib/string.h mm/bracket.h \
  mm/pagetable.h arch/pte.h arch/tlb.h arch/cpu.h arch/regs.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

kernel/misuse.h:

mm/misuse.h:

kernel/symbols.h:

lib/string.h:

mm/bracket.h:

mm/pagetable.h:

arch/pte.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:
