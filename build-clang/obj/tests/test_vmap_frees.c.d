/tmp/mut2/build-clang/obj/tests/test_vmap_frees.c.o: \
  tests/test_vmap_frees.c kernel/misuse.h mm/misuse.h arch/asm.h \
  include/keyhole.h lib/types.h mm/vmap_slots.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h tests/scratch.h \
  tests/vmap_frames.h

kernel/misuse.h:

mm/misuse.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/vmap_slots.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

tests/scratch.h:

tests/vmap_frames.h:
