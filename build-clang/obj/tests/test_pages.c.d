/tmp/mut2/build-clang/obj/tests/test_pages.c.o: tests/test_pages.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  kernel/misuse.h mm/misuse.h tests/handlers.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

kernel/misuse.h:

mm/misuse.h:

tests/handlers.h:
