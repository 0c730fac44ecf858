/tmp/mut2/build-clang/obj/mm/area.c.o: mm/area.c lib/panic.h lib/types.h \
  mm/domain.h include/keyhole.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h arch/asm.h mm/keys.h mm/frames_internal.h

lib/panic.h:

lib/types.h:

mm/domain.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/keys.h:

mm/frames_internal.h:
