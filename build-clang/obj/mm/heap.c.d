/tmp/mut2/build-clang/obj/mm/heap.c.o: mm/heap.c arch/cpu.h arch/regs.h \
  arch/asm.h lib/types.h arch/percpu.h include/keyhole.h \
  mm/heap_internal.h arch/spinlock.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/heap.h mm/misuse.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

mm/heap_internal.h:

arch/spinlock.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/heap.h:

mm/misuse.h:
