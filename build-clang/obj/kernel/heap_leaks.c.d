/tmp/mut2/build-clang/obj/kernel/heap_leaks.c.o: kernel/heap_leaks.c \
  kernel/heap_leaks.h lib/types.h kernel/backtrace.h mm/heap.h \
  include/keyhole.h

kernel/heap_leaks.h:

lib/types.h:

kernel/backtrace.h:

mm/heap.h:

include/keyhole.h:
