/tmp/mut2/build-clang/obj/tests/model_steps.c.o: tests/model_steps.c \
  tests/model.h include/keyhole.h lib/types.h

tests/model.h:

include/keyhole.h:

lib/types.h:
