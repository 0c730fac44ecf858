/tmp/mut2/build-clang/obj/tests/test_pages_handlers.c.o: \
  tests/test_pages_handlers.c kernel/misuse.h mm/misuse.h arch/asm.h \
  include/keyhole.h lib/types.h mm/layout.h tests/handlers.h

kernel/misuse.h:

mm/misuse.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/layout.h:

tests/handlers.h:
