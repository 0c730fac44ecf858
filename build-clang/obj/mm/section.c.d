/tmp/mut2/build-clang/obj/mm/section.c.o: mm/section.c mm/section.h \
  include/keyhole.h lib/memory_map.h lib/types.h mm/layout.h arch/asm.h \
  arch/pte.h lib/panic.h mm/frames.h lib/boot_info.h \
  mm/frames_internal.h mm/keys.h mm/lock.h arch/spinlock.h arch/cpu.h \
  arch/regs.h arch/percpu.h mm/pagetable.h arch/tlb.h

mm/section.h:

include/keyhole.h:

lib/memory_map.h:

lib/types.h:

mm/layout.h:

arch/asm.h:

arch/pte.h:

lib/panic.h:

mm/frames.h:

lib/boot_info.h:

mm/frames_internal.h:

mm/keys.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/pagetable.h:

arch/tlb.h:
