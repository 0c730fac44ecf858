/tmp/mut2/build-clang/obj/mm/vmap_range.c.o: mm/vmap_range.c arch/cpuid.h \
  lib/types.h arch/pte.h lib/panic.h mm/lock.h arch/spinlock.h \
  arch/cpu.h arch/regs.h arch/asm.h arch/percpu.h include/keyhole.h \
  mm/long_maps.h arch/tlb.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h mm/misuse.h mm/pagetable.h mm/section.h mm/vmap_internal.h \
  mm/vmap_slots.h

arch/cpuid.h:

lib/types.h:

arch/pte.h:

lib/panic.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/percpu.h:

include/keyhole.h:

mm/long_maps.h:

arch/tlb.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/misuse.h:

mm/pagetable.h:

mm/section.h:

mm/vmap_internal.h:

mm/vmap_slots.h:
