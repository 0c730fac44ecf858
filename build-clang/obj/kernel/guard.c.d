/tmp/mut2/build-clang/obj/kernel/guard.c.o: kernel/guard.c kernel/guard.h \
  include/keyhole.h lib/types.h

kernel/guard.h:

include/keyhole.h:

lib/types.h:
