/tmp/mut2/build-clang/obj/kernel/console.c.o: kernel/console.c \
  kernel/console.h lib/types.h arch/cpu.h arch/regs.h arch/asm.h \
  arch/uart.h include/keyhole.h lib/format.h

kernel/console.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/uart.h:

include/keyhole.h:

lib/format.h:
