/tmp/mut2/build-clang/obj/tests/test_kmap.c.o: tests/test_kmap.c \
  arch/asm.h arch/cpu.h arch/regs.h lib/types.h arch/pks.h arch/percpu.h \
  include/keyhole.h kernel/misuse.h mm/misuse.h kernel/symbols.h \
  mm/layout.h

arch/asm.h:

arch/cpu.h:

arch/regs.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

kernel/misuse.h:

mm/misuse.h:

kernel/symbols.h:

mm/layout.h:
