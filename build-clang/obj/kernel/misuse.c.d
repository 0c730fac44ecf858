/tmp/mut2/build-clang/obj/kernel/misuse.c.o: kernel/misuse.c \
  kernel/misuse.h mm/misuse.h arch/asm.h include/keyhole.h lib/types.h \
  arch/percpu.h kernel/backtrace.h kernel/catch.h lib/panic.h \
  mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h

kernel/misuse.h:

mm/misuse.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/percpu.h:

kernel/backtrace.h:

kernel/catch.h:

lib/panic.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:
