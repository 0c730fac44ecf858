/tmp/mut2/build-clang/obj/mm/blocks.c.o: mm/blocks.c mm/blocks.h \
  arch/tlb.h arch/cpu.h arch/regs.h arch/asm.h lib/types.h arch/percpu.h \
  include/keyhole.h lib/panic.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h mm/kernel_pages.h \
  mm/pagetable.h arch/pte.h

mm/blocks.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

lib/panic.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/kernel_pages.h:

mm/pagetable.h:

arch/pte.h:
