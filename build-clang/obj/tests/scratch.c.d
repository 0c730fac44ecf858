/tmp/mut2/build-clang/obj/tests/scratch.c.o: tests/scratch.c \
  tests/scratch.h lib/types.h

tests/scratch.h:

lib/types.h:
