/tmp/mut2/build-clang/obj/tests/model_frames.c.o: tests/model_frames.c \
  mm/layout.h arch/asm.h lib/types.h tests/model.h include/keyhole.h

mm/layout.h:

arch/asm.h:

lib/types.h:

tests/model.h:

include/keyhole.h:
