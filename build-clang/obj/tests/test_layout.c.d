/tmp/mut2/build-clang/obj/tests/test_layout.c.o: tests/test_layout.c \
  arch/cpu.h arch/regs.h arch/asm.h lib/types.h arch/cpuid.h arch/pks.h \
  arch/percpu.h include/keyhole.h arch/pte.h arch/trap.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/image.h mm/keys.h \
  mm/pagetable.h arch/tlb.h mm/section.h mm/tables.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/cpuid.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

arch/pte.h:

arch/trap.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/image.h:

mm/keys.h:

mm/pagetable.h:

arch/tlb.h:

mm/section.h:

mm/tables.h:
