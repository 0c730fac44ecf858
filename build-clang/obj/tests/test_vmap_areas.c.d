/tmp/mut2/build-clang/obj/tests/test_vmap_areas.c.o: \
  tests/test_vmap_areas.c include/keyhole.h lib/types.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h arch/asm.h mm/long_maps.h \
  arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h tests/scratch.h \
  tests/vmap_frames.h

include/keyhole.h:

lib/types.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/long_maps.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

tests/scratch.h:

tests/vmap_frames.h:
