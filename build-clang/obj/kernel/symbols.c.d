/tmp/mut2/build-clang/obj/kernel/symbols.c.o: kernel/symbols.c \
  kernel/symbols.h lib/types.h lib/string.h

kernel/symbols.h:

lib/types.h:

lib/string.h:
