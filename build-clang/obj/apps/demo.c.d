/tmp/mut2/build-clang/obj/apps/demo.c.o: apps/demo.c kernel/guard.h \
  include/keyhole.h lib/types.h kernel/info.h kernel/run.h

kernel/guard.h:

include/keyhole.h:

lib/types.h:

kernel/info.h:

kernel/run.h:
