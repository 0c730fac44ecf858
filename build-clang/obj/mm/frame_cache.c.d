/tmp/mut2/build-clang/obj/mm/frame_cache.c.o: mm/frame_cache.c \
  mm/frame_cache.h arch/percpu.h arch/asm.h include/keyhole.h \
  lib/types.h mm/domain.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h mm/keys.h lib/panic.h mm/frames_internal.h mm/lock.h \
  arch/spinlock.h arch/cpu.h arch/regs.h

mm/frame_cache.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

lib/panic.h:

mm/frames_internal.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:
