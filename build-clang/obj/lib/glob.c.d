/tmp/mut2/build-clang/obj/lib/glob.c.o: lib/glob.c lib/glob.h lib/types.h \
  lib/string.h

lib/glob.h:

lib/types.h:

lib/string.h:
