/tmp/mut2/build-clang/obj/mm/copy.c.o: mm/copy.c include/keyhole.h \
  mm/bracket.h arch/asm.h lib/types.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/misuse.h

include/keyhole.h:

mm/bracket.h:

arch/asm.h:

lib/types.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/misuse.h:
