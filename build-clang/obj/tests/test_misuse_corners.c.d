/tmp/mut2/build-clang/obj/tests/test_misuse_corners.c.o: \
  tests/test_misuse_corners.c arch/pks.h arch/percpu.h arch/asm.h \
  include/keyhole.h lib/types.h kernel/misuse.h mm/misuse.h \
  kernel/symbols.h mm/bracket.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h mm/local_window.h arch/cpu.h \
  arch/regs.h arch/pte.h mm/long_maps.h arch/tlb.h tests/handlers.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

kernel/misuse.h:

mm/misuse.h:

kernel/symbols.h:

mm/bracket.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/pte.h:

mm/long_maps.h:

arch/tlb.h:

tests/handlers.h:
