/tmp/mut2/build-clang/obj/tests/model_maps.c.o: tests/model_maps.c \
  arch/pte.h lib/types.h mm/domain.h include/keyhole.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h arch/asm.h mm/keys.h \
  mm/local_window.h arch/cpu.h arch/regs.h arch/percpu.h mm/pagetable.h \
  arch/tlb.h tests/model.h

arch/pte.h:

lib/types.h:

mm/domain.h:

include/keyhole.h:

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

mm/pagetable.h:

arch/tlb.h:

tests/model.h:
