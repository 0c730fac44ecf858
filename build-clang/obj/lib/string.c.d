/tmp/mut2/build-clang/obj/lib/string.c.o: lib/string.c lib/string.h \
  lib/types.h

lib/string.h:

lib/types.h:
