/tmp/mut2/build-clang/obj/tests/model_hostile.c.o: tests/model_hostile.c \
  lib/string.h lib/types.h mm/layout.h arch/asm.h tests/model.h \
  include/keyhole.h

lib/string.h:

lib/types.h:

mm/layout.h:

arch/asm.h:

tests/model.h:

include/keyhole.h:
