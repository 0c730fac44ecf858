/tmp/mut2/build-clang/obj/mm/keys.c.o: mm/keys.c mm/keys.h \
  include/keyhole.h lib/types.h arch/pks.h arch/percpu.h arch/asm.h \
  arch/tlb.h arch/cpu.h arch/regs.h lib/panic.h mm/blocks.h mm/bracket.h \
  mm/domain.h mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h \
  mm/frame_cache.h mm/lock.h arch/spinlock.h

mm/keys.h:

include/keyhole.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

arch/asm.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

lib/panic.h:

mm/blocks.h:

mm/bracket.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/frame_cache.h:

mm/lock.h:

arch/spinlock.h:
