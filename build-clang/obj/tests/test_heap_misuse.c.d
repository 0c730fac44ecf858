/tmp/mut2/build-clang/obj/tests/test_heap_misuse.c.o: \
  tests/test_heap_misuse.c kernel/misuse.h mm/misuse.h arch/asm.h \
  include/keyhole.h lib/types.h kernel/symbols.h lib/string.h mm/heap.h

kernel/misuse.h:

mm/misuse.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

kernel/symbols.h:

lib/string.h:

mm/heap.h:
