/tmp/mut2/build-clang/obj/tests/test_vmap_limits.c.o: \
  tests/test_vmap_limits.c arch/cpuid.h lib/types.h arch/regs.h \
  arch/asm.h kernel/misuse.h mm/misuse.h include/keyhole.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/lock.h arch/spinlock.h \
  arch/cpu.h arch/percpu.h mm/long_maps.h arch/tlb.h mm/section.h \
  mm/tables.h mm/vmap_slots.h tests/scratch.h tests/vmap_frames.h

arch/cpuid.h:

lib/types.h:

arch/regs.h:

arch/asm.h:

kernel/misuse.h:

mm/misuse.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/percpu.h:

mm/long_maps.h:

arch/tlb.h:

mm/section.h:

mm/tables.h:

mm/vmap_slots.h:

tests/scratch.h:

tests/vmap_frames.h:
