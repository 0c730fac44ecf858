/tmp/mut2/build-clang/obj/mm/kmap.c.o: mm/kmap.c arch/pte.h lib/types.h \
  lib/panic.h mm/frames.h include/keyhole.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h arch/asm.h mm/kernel_pages.h mm/lock.h \
  arch/spinlock.h arch/cpu.h arch/regs.h arch/percpu.h mm/long_maps.h \
  arch/tlb.h mm/misuse.h mm/pagetable.h mm/pt_window.h arch/pks.h \
  mm/keys.h mm/section.h

arch/pte.h:

lib/types.h:

lib/panic.h:

mm/frames.h:

include/keyhole.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/kernel_pages.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/long_maps.h:

arch/tlb.h:

mm/misuse.h:

mm/pagetable.h:

mm/pt_window.h:

arch/pks.h:

mm/keys.h:

mm/section.h:
