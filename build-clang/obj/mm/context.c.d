/tmp/mut2/build-clang/obj/mm/context.c.o: mm/context.c mm/context.h \
  include/keyhole.h lib/types.h mm/bracket.h arch/asm.h \
  mm/local_window.h arch/cpu.h arch/regs.h arch/percpu.h arch/pte.h \
  mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h arch/pks.h \
  lib/panic.h mm/kernel_pages.h mm/lock.h arch/spinlock.h mm/pagetable.h \
  arch/tlb.h

mm/context.h:

include/keyhole.h:

lib/types.h:

mm/bracket.h:

arch/asm.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

arch/pte.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/pks.h:

lib/panic.h:

mm/kernel_pages.h:

mm/lock.h:

arch/spinlock.h:

mm/pagetable.h:

arch/tlb.h:
