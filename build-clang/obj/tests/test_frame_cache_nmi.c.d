/tmp/mut2/build-clang/obj/tests/test_frame_cache_nmi.c.o: \
  tests/test_frame_cache_nmi.c arch/pks.h arch/percpu.h arch/asm.h \
  include/keyhole.h lib/types.h mm/audit.h mm/frame_cache.h mm/domain.h \
  mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h mm/keys.h \
  tests/handlers.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/audit.h:

mm/frame_cache.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

tests/handlers.h:
