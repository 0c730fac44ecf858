/tmp/mut2/build-clang/obj/tests/test_lib.c.o: tests/test_lib.c \
  include/keyhole.h lib/string.h lib/types.h

include/keyhole.h:

lib/string.h:

lib/types.h:
