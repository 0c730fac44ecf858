/tmp/mut2/build-clang/obj/mm/frames.c.o: mm/frames.c mm/frames.h \
  include/keyhole.h lib/boot_info.h lib/memory_map.h lib/types.h \
  mm/layout.h arch/asm.h arch/pks.h arch/percpu.h lib/panic.h \
  mm/bracket.h mm/context.h mm/local_window.h arch/cpu.h arch/regs.h \
  arch/pte.h mm/domain.h mm/keys.h mm/frame_cache.h mm/frame_fill.h \
  mm/frames_internal.h mm/lock.h arch/spinlock.h mm/long_maps.h \
  arch/tlb.h mm/misuse.h mm/section.h

mm/frames.h:

include/keyhole.h:

lib/boot_info.h:

lib/memory_map.h:

lib/types.h:

mm/layout.h:

arch/asm.h:

arch/pks.h:

arch/percpu.h:

lib/panic.h:

mm/bracket.h:

mm/context.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/pte.h:

mm/domain.h:

mm/keys.h:

mm/frame_cache.h:

mm/frame_fill.h:

mm/frames_internal.h:

mm/lock.h:

arch/spinlock.h:

mm/long_maps.h:

arch/tlb.h:

mm/misuse.h:

mm/section.h:
