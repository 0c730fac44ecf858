/tmp/mut2/build-clang/obj/mm/pagetable.c.o: mm/pagetable.c mm/pagetable.h \
  arch/pte.h lib/types.h arch/tlb.h arch/cpu.h arch/regs.h arch/asm.h \
  arch/percpu.h include/keyhole.h lib/panic.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/keys.h mm/lock.h \
  arch/spinlock.h mm/pagetable_internal.h mm/pt_window.h arch/pks.h \
  mm/tables.h

mm/pagetable.h:

arch/pte.h:

lib/types.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/percpu.h:

include/keyhole.h:

lib/panic.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/lock.h:

arch/spinlock.h:

mm/pagetable_internal.h:

mm/pt_window.h:

arch/pks.h:

mm/tables.h:
