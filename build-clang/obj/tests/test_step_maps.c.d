/tmp/mut2/build-clang/obj/tests/test_step_maps.c.o: \
  tests/test_step_maps.c arch/pks.h arch/percpu.h arch/asm.h \
  include/keyhole.h lib/types.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h tests/handlers.h \
  tests/step_each.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

tests/handlers.h:

tests/step_each.h:
