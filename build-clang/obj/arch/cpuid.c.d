/tmp/mut2/build-clang/obj/arch/cpuid.c.o: arch/cpuid.c arch/cpuid.h \
  lib/types.h arch/cpu.h arch/regs.h arch/asm.h

arch/cpuid.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:
