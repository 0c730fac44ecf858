/tmp/mut2/build-clang/obj/tests/test_vmap.c.o: tests/test_vmap.c \
  arch/pte.h lib/types.h kernel/misuse.h mm/misuse.h arch/asm.h \
  include/keyhole.h mm/long_maps.h arch/tlb.h arch/cpu.h arch/regs.h \
  arch/percpu.h mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h \
  mm/pagetable.h tests/scratch.h

arch/pte.h:

lib/types.h:

kernel/misuse.h:

mm/misuse.h:

arch/asm.h:

include/keyhole.h:

mm/long_maps.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/pagetable.h:

tests/scratch.h:
