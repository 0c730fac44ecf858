/tmp/mut2/build-clang/obj/mm/heap_memory.c.o: mm/heap_memory.c arch/pte.h \
  lib/types.h mm/domain.h include/keyhole.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h arch/asm.h mm/keys.h mm/heap_internal.h \
  arch/spinlock.h arch/cpu.h arch/regs.h arch/percpu.h mm/heap.h \
  mm/lock.h mm/pagetable.h arch/tlb.h

arch/pte.h:

lib/types.h:

mm/domain.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/keys.h:

mm/heap_internal.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/heap.h:

mm/lock.h:

mm/pagetable.h:

arch/tlb.h:
