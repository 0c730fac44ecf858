/tmp/mut2/build-clang/obj/arch/apic.c.o: arch/apic.c arch/apic.h \
  lib/types.h arch/cpu.h arch/regs.h arch/asm.h arch/cpuid.h lib/panic.h

arch/apic.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/cpuid.h:

lib/panic.h:
