/tmp/mut2/build-clang/obj/arch/ap_start.c.o: arch/ap_start.c \
  arch/ap_start.h arch/asm.h lib/types.h arch/apic.h arch/cpu.h \
  arch/regs.h arch/percpu.h include/keyhole.h arch/pit.h lib/string.h

arch/ap_start.h:

arch/asm.h:

lib/types.h:

arch/apic.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

include/keyhole.h:

arch/pit.h:

lib/string.h:
