/tmp/mut2/build-clang/obj/kernel/shell_memory.c.o: kernel/shell_memory.c \
  arch/pte.h lib/types.h kernel/guard.h include/keyhole.h \
  kernel/shell_internal.h kernel/shell.h mm/domain.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h arch/asm.h mm/keys.h \
  mm/pagetable.h arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h

arch/pte.h:

lib/types.h:

kernel/guard.h:

include/keyhole.h:

kernel/shell_internal.h:

kernel/shell.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/keys.h:

mm/pagetable.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:
