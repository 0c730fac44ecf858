/tmp/mut2/build-clang/obj/mm/trampoline.c.o: mm/trampoline.c \
  mm/trampoline.h include/keyhole.h lib/types.h arch/pte.h lib/panic.h \
  mm/layout.h arch/asm.h mm/memory.h lib/boot_info.h lib/memory_map.h \
  mm/pagetable.h arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h

mm/trampoline.h:

include/keyhole.h:

lib/types.h:

arch/pte.h:

lib/panic.h:

mm/layout.h:

arch/asm.h:

mm/memory.h:

lib/boot_info.h:

lib/memory_map.h:

mm/pagetable.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:
