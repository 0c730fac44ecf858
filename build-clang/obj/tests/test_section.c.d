/tmp/mut2/build-clang/obj/tests/test_section.c.o: tests/test_section.c \
  include/keyhole.h lib/types.h mm/audit.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h arch/asm.h mm/lock.h arch/spinlock.h \
  arch/cpu.h arch/regs.h arch/percpu.h mm/section.h mm/tables.h

include/keyhole.h:

lib/types.h:

mm/audit.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/section.h:

mm/tables.h:
