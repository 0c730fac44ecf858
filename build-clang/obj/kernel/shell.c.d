/tmp/mut2/build-clang/obj/kernel/shell.c.o: kernel/shell.c kernel/shell.h \
  arch/cpu.h arch/regs.h arch/asm.h lib/types.h arch/power.h arch/uart.h \
  kernel/console.h kernel/guard.h include/keyhole.h kernel/info.h \
  kernel/lineedit.h kernel/run.h kernel/shell_internal.h \
  kernel/symbols.h lib/number.h lib/string.h

kernel/shell.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/power.h:

arch/uart.h:

kernel/console.h:

kernel/guard.h:

include/keyhole.h:

kernel/info.h:

kernel/lineedit.h:

kernel/run.h:

kernel/shell_internal.h:

kernel/symbols.h:

lib/number.h:

lib/string.h:
