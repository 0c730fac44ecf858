/tmp/mut2/build-clang/obj/tests/test_kmap_shared.c.o: \
  tests/test_kmap_shared.c arch/asm.h kernel/misuse.h mm/misuse.h \
  include/keyhole.h lib/types.h tests/handlers.h

arch/asm.h:

kernel/misuse.h:

mm/misuse.h:

include/keyhole.h:

lib/types.h:

tests/handlers.h:
