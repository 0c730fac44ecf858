/tmp/mut2/build-clang/obj/tests/vmap_frames.c.o: tests/vmap_frames.c \
  tests/vmap_frames.h include/keyhole.h lib/types.h arch/regs.h \
  arch/asm.h

tests/vmap_frames.h:

include/keyhole.h:

lib/types.h:

arch/regs.h:

arch/asm.h:
