/tmp/mut2/build-clang/obj/tests/test_heap.c.o: tests/test_heap.c \
  arch/pte.h lib/types.h include/keyhole.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h arch/asm.h mm/heap.h mm/pagetable.h \
  arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h

arch/pte.h:

lib/types.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/heap.h:

mm/pagetable.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:
