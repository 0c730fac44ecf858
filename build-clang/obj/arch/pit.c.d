/tmp/mut2/build-clang/obj/arch/pit.c.o: arch/pit.c arch/pit.h lib/types.h \
  arch/cpu.h arch/regs.h arch/asm.h

arch/pit.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:
