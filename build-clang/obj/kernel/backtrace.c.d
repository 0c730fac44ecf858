/tmp/mut2/build-clang/obj/kernel/backtrace.c.o: kernel/backtrace.c \
  kernel/backtrace.h lib/types.h arch/trap.h arch/asm.h kernel/symbols.h \
  include/keyhole.h mm/image.h

kernel/backtrace.h:

lib/types.h:

arch/trap.h:

arch/asm.h:

kernel/symbols.h:

include/keyhole.h:

mm/image.h:
