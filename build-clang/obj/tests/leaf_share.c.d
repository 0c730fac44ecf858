/tmp/mut2/build-clang/obj/tests/leaf_share.c.o: tests/leaf_share.c \
  tests/leaf_share.h lib/types.h include/keyhole.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h arch/asm.h mm/memory.h \
  arch/pte.h tests/bench.h

tests/leaf_share.h:

lib/types.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/memory.h:

arch/pte.h:

tests/bench.h:
