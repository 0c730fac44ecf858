/tmp/mut2/build-clang/obj/lib/memory_map.c.o: lib/memory_map.c \
  lib/memory_map.h lib/types.h lib/string.h

lib/memory_map.h:

lib/types.h:

lib/string.h:
