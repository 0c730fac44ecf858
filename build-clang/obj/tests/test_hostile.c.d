/tmp/mut2/build-clang/obj/tests/test_hostile.c.o: tests/test_hostile.c \
  arch/asm.h arch/cpu.h arch/regs.h lib/types.h arch/pks.h arch/percpu.h \
  include/keyhole.h kernel/misuse.h mm/misuse.h kernel/symbols.h \
  mm/audit.h mm/layout.h mm/long_maps.h arch/tlb.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h

arch/asm.h:

arch/cpu.h:

arch/regs.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

kernel/misuse.h:

mm/misuse.h:

kernel/symbols.h:

mm/audit.h:

mm/layout.h:

mm/long_maps.h:

arch/tlb.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:
