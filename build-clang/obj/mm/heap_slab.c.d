/tmp/mut2/build-clang/obj/mm/heap_slab.c.o: mm/heap_slab.c lib/panic.h \
  lib/types.h mm/heap_internal.h arch/spinlock.h arch/cpu.h arch/regs.h \
  arch/asm.h arch/percpu.h include/keyhole.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/heap.h

lib/panic.h:

lib/types.h:

mm/heap_internal.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/percpu.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/heap.h:
