/tmp/mut2/build-clang/obj/mm/domain.c.o: mm/domain.c mm/domain.h \
  include/keyhole.h lib/types.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h arch/asm.h mm/keys.h arch/cpu.h \
  arch/regs.h arch/pks.h arch/percpu.h lib/panic.h lib/string.h \
  mm/frame_cache.h mm/kernel_pages.h mm/lock.h arch/spinlock.h \
  mm/misuse.h

mm/domain.h:

include/keyhole.h:

lib/types.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/keys.h:

arch/cpu.h:

arch/regs.h:

arch/pks.h:

arch/percpu.h:

lib/panic.h:

lib/string.h:

mm/frame_cache.h:

mm/kernel_pages.h:

mm/lock.h:

arch/spinlock.h:

mm/misuse.h:
