/tmp/mut2/build-clang/obj/mm/long_maps.c.o: mm/long_maps.c mm/long_maps.h \
  arch/tlb.h arch/cpu.h arch/regs.h arch/asm.h lib/types.h arch/percpu.h \
  include/keyhole.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h lib/panic.h mm/lock.h arch/spinlock.h mm/misuse.h \
  mm/vmap_slots.h

mm/long_maps.h:

arch/tlb.h:

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

lib/panic.h:

mm/lock.h:

arch/spinlock.h:

mm/misuse.h:

mm/vmap_slots.h:
