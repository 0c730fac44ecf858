/tmp/mut2/build-clang/obj/tests/model_check.c.o: tests/model_check.c \
  mm/domain.h include/keyhole.h lib/types.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h arch/asm.h mm/keys.h mm/local_window.h \
  arch/cpu.h arch/regs.h arch/percpu.h arch/pte.h tests/model.h

mm/domain.h:

include/keyhole.h:

lib/types.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/keys.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

arch/pte.h:

tests/model.h:
