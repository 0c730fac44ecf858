/tmp/mut2/build-clang/obj/tests/planted.c.o: tests/planted.c \
  tests/planted.h arch/asm.h include/keyhole.h lib/types.h mm/audit.h \
  mm/layout.h arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h \
  mm/pagetable.h arch/pte.h mm/pt_window.h arch/pks.h mm/keys.h

tests/planted.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/audit.h:

mm/layout.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/pagetable.h:

arch/pte.h:

mm/pt_window.h:

arch/pks.h:

mm/keys.h:
