/tmp/mut2/build-clang/obj/tests/breakpoint.c.o: tests/breakpoint.c \
  tests/breakpoint.h include/keyhole.h lib/types.h arch/asm.h \
  arch/regs.h tests/handlers.h

tests/breakpoint.h:

include/keyhole.h:

lib/types.h:

arch/asm.h:

arch/regs.h:

tests/handlers.h:
