/tmp/mut2/build-clang/obj/kernel/panic.c.o: kernel/panic.c lib/panic.h \
  lib/types.h arch/cpu.h arch/regs.h arch/asm.h arch/power.h \
  kernel/backtrace.h kernel/console.h include/keyhole.h

lib/panic.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/power.h:

kernel/backtrace.h:

kernel/console.h:

include/keyhole.h:
