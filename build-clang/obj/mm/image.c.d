/tmp/mut2/build-clang/obj/mm/image.c.o: mm/image.c mm/image.h \
  include/keyhole.h lib/types.h arch/pte.h arch/trap.h arch/asm.h \
  lib/panic.h mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h \
  mm/pagetable.h arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h

mm/image.h:

include/keyhole.h:

lib/types.h:

arch/pte.h:

arch/trap.h:

arch/asm.h:

lib/panic.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/pagetable.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:
