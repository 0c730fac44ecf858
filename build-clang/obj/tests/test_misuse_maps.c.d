/tmp/mut2/build-clang/obj/tests/test_misuse_maps.c.o: \
  tests/test_misuse_maps.c arch/asm.h arch/pks.h arch/percpu.h \
  include/keyhole.h lib/types.h kernel/misuse.h mm/misuse.h \
  kernel/symbols.h mm/bracket.h mm/pagetable.h arch/pte.h arch/tlb.h \
  arch/cpu.h arch/regs.h

arch/asm.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

lib/types.h:

kernel/misuse.h:

mm/misuse.h:

kernel/symbols.h:

mm/bracket.h:

mm/pagetable.h:

arch/pte.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:
