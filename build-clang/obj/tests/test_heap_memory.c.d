/tmp/mut2/build-clang/obj/tests/test_heap_memory.c.o: \
  tests/test_heap_memory.c kernel/symbols.h lib/types.h \
  include/keyhole.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h arch/asm.h mm/heap.h

kernel/symbols.h:

lib/types.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

arch/asm.h:

mm/heap.h:
