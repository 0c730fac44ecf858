/tmp/mut2/build-clang/obj/tests/model.c.o: tests/model.c tests/model.h \
  include/keyhole.h lib/types.h

tests/model.h:

include/keyhole.h:

lib/types.h:
