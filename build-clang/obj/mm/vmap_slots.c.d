/tmp/mut2/build-clang/obj/mm/vmap_slots.c.o: mm/vmap_slots.c \
  mm/vmap_slots.h include/keyhole.h lib/types.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h arch/asm.h \
  mm/kernel_pages.h mm/lock.h arch/spinlock.h arch/cpu.h arch/regs.h \
  arch/percpu.h

mm/vmap_slots.h:

include/keyhole.h:

lib/types.h:

mm/frames.h:

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
