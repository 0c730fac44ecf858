/tmp/mut2/build-clang/obj/tests/test_probe.c.o: tests/test_probe.c \
  arch/cpu.h arch/regs.h arch/asm.h lib/types.h arch/pks.h arch/percpu.h \
  include/keyhole.h kernel/symbols.h mm/domain.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/keys.h tests/alias.h \
  arch/pte.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

kernel/symbols.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

tests/alias.h:

arch/pte.h:
