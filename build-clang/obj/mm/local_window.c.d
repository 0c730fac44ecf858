/tmp/mut2/build-clang/obj/mm/local_window.c.o: mm/local_window.c \
  mm/local_window.h arch/cpu.h arch/regs.h arch/asm.h lib/types.h \
  arch/percpu.h include/keyhole.h arch/pte.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h lib/panic.h mm/lock.h arch/spinlock.h \
  mm/pagetable.h arch/tlb.h mm/pt_window.h arch/pks.h mm/keys.h

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

arch/pte.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

lib/panic.h:

mm/lock.h:

arch/spinlock.h:

mm/pagetable.h:

arch/tlb.h:

mm/pt_window.h:

arch/pks.h:

mm/keys.h:
