/tmp/mut2/build-clang/obj/tests/test_keys_handover.c.o: \
  tests/test_keys_handover.c arch/pks.h arch/percpu.h arch/asm.h \
  include/keyhole.h lib/types.h mm/bracket.h mm/domain.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/keys.h mm/lock.h \
  arch/spinlock.h arch/cpu.h arch/regs.h tests/handlers.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/bracket.h:

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

tests/handlers.h:
