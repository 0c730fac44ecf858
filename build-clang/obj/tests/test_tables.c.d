/tmp/mut2/build-clang/obj/tests/test_tables.c.o: tests/test_tables.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  arch/pte.h mm/audit.h mm/bracket.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h mm/lock.h arch/spinlock.h \
  arch/cpu.h arch/regs.h mm/pagetable.h arch/tlb.h mm/tables.h \
  tests/alias.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/pte.h:

mm/audit.h:

mm/bracket.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

mm/pagetable.h:

arch/tlb.h:

mm/tables.h:

tests/alias.h:
