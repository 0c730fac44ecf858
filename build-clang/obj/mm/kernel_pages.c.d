/tmp/mut2/build-clang/obj/mm/kernel_pages.c.o: mm/kernel_pages.c \
  mm/kernel_pages.h include/keyhole.h lib/types.h arch/pte.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h arch/asm.h mm/pagetable.h \
  arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h

mm/kernel_pages.h:

include/keyhole.h:

lib/types.h:

arch/pte.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/pagetable.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:
