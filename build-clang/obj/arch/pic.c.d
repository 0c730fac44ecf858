/tmp/mut2/build-clang/obj/arch/pic.c.o: arch/pic.c arch/pic.h lib/types.h \
  arch/cpu.h arch/regs.h arch/asm.h

arch/pic.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:
