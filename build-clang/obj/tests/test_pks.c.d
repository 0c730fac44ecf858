/tmp/mut2/build-clang/obj/tests/test_pks.c.o: tests/test_pks.c \
  arch/apic.h lib/types.h arch/cpu.h arch/regs.h arch/asm.h arch/pks.h \
  arch/percpu.h include/keyhole.h mm/pagetable.h arch/pte.h arch/tlb.h \
  tests/alias.h mm/layout.h tests/pks_access.h

arch/apic.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

mm/pagetable.h:

arch/pte.h:

arch/tlb.h:

tests/alias.h:

mm/layout.h:

tests/pks_access.h:
