/tmp/mut2/build-clang/obj/tests/test_frames.c.o: tests/test_frames.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  lib/string.h mm/domain.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h mm/keys.h mm/memory.h arch/pte.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

lib/string.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/memory.h:

arch/pte.h:
