/tmp/mut2/build-clang/obj/mm/vmap.c.o: mm/vmap.c arch/pte.h lib/types.h \
  mm/layout.h arch/asm.h mm/lock.h arch/spinlock.h arch/cpu.h \
  arch/regs.h arch/percpu.h include/keyhole.h mm/pt_window.h arch/pks.h \
  mm/keys.h mm/vmap_entries.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/vmap_internal.h mm/long_maps.h arch/tlb.h \
  mm/misuse.h mm/vmap_slots.h

arch/pte.h:

lib/types.h:

mm/layout.h:

arch/asm.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

include/keyhole.h:

mm/pt_window.h:

arch/pks.h:

mm/keys.h:

mm/vmap_entries.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/vmap_internal.h:

mm/long_maps.h:

arch/tlb.h:

mm/misuse.h:

mm/vmap_slots.h:
