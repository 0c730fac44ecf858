/tmp/mut2/build-clang/obj/tests/test_frame_cache.c.o: \
  tests/test_frame_cache.c arch/pks.h arch/percpu.h arch/asm.h \
  include/keyhole.h lib/types.h kernel/misuse.h mm/misuse.h mm/audit.h \
  mm/frame_cache.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h mm/lock.h arch/spinlock.h \
  arch/cpu.h arch/regs.h mm/memory.h arch/pte.h mm/pagetable.h \
  arch/tlb.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

kernel/misuse.h:

mm/misuse.h:

mm/audit.h:

mm/frame_cache.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

mm/memory.h:

arch/pte.h:

mm/pagetable.h:

arch/tlb.h:
