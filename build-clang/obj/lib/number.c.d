/tmp/mut2/build-clang/obj/lib/number.c.o: lib/number.c lib/number.h \
  lib/types.h

lib/number.h:

lib/types.h:
