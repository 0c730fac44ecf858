/tmp/mut2/build-clang/obj/mm/tables.c.o: mm/tables.c mm/tables.h \
  include/keyhole.h lib/types.h lib/panic.h mm/domain.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h arch/asm.h mm/keys.h \
  mm/lock.h arch/spinlock.h arch/cpu.h arch/regs.h arch/percpu.h

mm/tables.h:

include/keyhole.h:

lib/types.h:

lib/panic.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/keys.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:
