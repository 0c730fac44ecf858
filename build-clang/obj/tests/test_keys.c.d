/tmp/mut2/build-clang/obj/tests/test_keys.c.o: tests/test_keys.c \
  arch/asm.h arch/cpu.h arch/regs.h lib/types.h arch/pks.h arch/percpu.h \
  include/keyhole.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h

arch/asm.h:

arch/cpu.h:

arch/regs.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:
