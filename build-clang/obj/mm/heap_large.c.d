/tmp/mut2/build-clang/obj/mm/heap_large.c.o: mm/heap_large.c \
  mm/heap_internal.h arch/spinlock.h arch/cpu.h arch/regs.h arch/asm.h \
  lib/types.h arch/percpu.h include/keyhole.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/heap.h mm/misuse.h

mm/heap_internal.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/heap.h:

mm/misuse.h:
