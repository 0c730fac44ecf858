/tmp/mut2/build-clang/obj/tests/test_range.c.o: tests/test_range.c \
  kernel/misuse.h mm/misuse.h arch/asm.h include/keyhole.h lib/types.h

kernel/misuse.h:

mm/misuse.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:
