/tmp/mut2/build-clang/obj/mm/pool.c.o: mm/pool.c arch/pte.h lib/types.h \
  lib/panic.h mm/blocks.h arch/tlb.h arch/cpu.h arch/regs.h arch/asm.h \
  arch/percpu.h include/keyhole.h mm/domain.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/keys.h \
  mm/frame_cache.h mm/frames_internal.h mm/lock.h arch/spinlock.h \
  mm/pagetable.h mm/section.h mm/stack.h mm/tables.h

arch/pte.h:

lib/types.h:

lib/panic.h:

mm/blocks.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/percpu.h:

include/keyhole.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/frame_cache.h:

mm/frames_internal.h:

mm/lock.h:

arch/spinlock.h:

mm/pagetable.h:

mm/section.h:

mm/stack.h:

mm/tables.h:
