/tmp/mut2/build-clang/obj/mm/memory.c.o: mm/memory.c mm/memory.h \
  arch/pte.h lib/types.h include/keyhole.h lib/boot_info.h \
  lib/memory_map.h arch/cpuid.h lib/panic.h mm/context.h mm/bracket.h \
  arch/asm.h mm/local_window.h arch/cpu.h arch/regs.h arch/percpu.h \
  mm/frames.h mm/layout.h mm/domain.h mm/keys.h mm/heap.h mm/image.h \
  mm/pagetable.h arch/tlb.h mm/section.h mm/tables.h

mm/memory.h:

arch/pte.h:

lib/types.h:

include/keyhole.h:

lib/boot_info.h:

lib/memory_map.h:

arch/cpuid.h:

lib/panic.h:

mm/context.h:

mm/bracket.h:

arch/asm.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/frames.h:

mm/layout.h:

mm/domain.h:

mm/keys.h:

mm/heap.h:

mm/image.h:

mm/pagetable.h:

arch/tlb.h:

mm/section.h:

mm/tables.h:
