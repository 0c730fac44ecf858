/tmp/mut2/build-clang/obj/tests/test_copy.c.o: tests/test_copy.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  mm/bracket.h tests/handlers.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/bracket.h:

tests/handlers.h:
