/tmp/mut2/build-clang/obj/arch/uart.c.o: arch/uart.c arch/uart.h \
  lib/types.h arch/cpu.h arch/regs.h arch/asm.h

arch/uart.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:
