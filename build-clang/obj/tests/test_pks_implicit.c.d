/tmp/mut2/build-clang/obj/tests/test_pks_implicit.c.o: \
  tests/test_pks_implicit.c arch/cpu.h arch/regs.h arch/asm.h \
  lib/types.h arch/pks.h arch/percpu.h include/keyhole.h mm/pagetable.h \
  arch/pte.h arch/tlb.h tests/alias.h mm/layout.h tests/pks_access.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

mm/pagetable.h:

arch/pte.h:

arch/tlb.h:

tests/alias.h:

mm/layout.h:

tests/pks_access.h:
