/tmp/mut2/build-clang/obj/tests/test_peers_vmalloc.c.o: \
  tests/test_peers_vmalloc.c include/keyhole.h lib/types.h \
  tests/scratch.h

include/keyhole.h:

lib/types.h:

tests/scratch.h:
