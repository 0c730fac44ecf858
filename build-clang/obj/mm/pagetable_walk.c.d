/tmp/mut2/build-clang/obj/mm/pagetable_walk.c.o: mm/pagetable_walk.c \
  mm/pagetable_internal.h mm/pagetable.h arch/pte.h lib/types.h \
  arch/tlb.h arch/cpu.h arch/regs.h arch/asm.h arch/percpu.h \
  include/keyhole.h mm/pt_window.h arch/pks.h mm/keys.h

mm/pagetable_internal.h:

mm/pagetable.h:

arch/pte.h:

lib/types.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/percpu.h:

include/keyhole.h:

mm/pt_window.h:

arch/pks.h:

mm/keys.h:
