/tmp/mut2/build-clang/obj/tests/test_peers_local.c.o: \
  tests/test_peers_local.c arch/pks.h arch/percpu.h arch/asm.h \
  include/keyhole.h lib/types.h kernel/misuse.h mm/misuse.h mm/domain.h \
  mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h mm/keys.h \
  mm/local_window.h arch/cpu.h arch/regs.h arch/pte.h tests/handlers.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

kernel/misuse.h:

mm/misuse.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/pte.h:

tests/handlers.h:
