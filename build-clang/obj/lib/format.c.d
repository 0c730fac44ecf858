/tmp/mut2/build-clang/obj/lib/format.c.o: lib/format.c lib/format.h \
  lib/types.h lib/string.h

lib/format.h:

lib/types.h:

lib/string.h:
