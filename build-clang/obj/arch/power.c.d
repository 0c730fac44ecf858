/tmp/mut2/build-clang/obj/arch/power.c.o: arch/power.c arch/power.h \
  lib/types.h arch/acpi.h arch/percpu.h arch/asm.h include/keyhole.h \
  lib/boot_info.h lib/memory_map.h arch/cpu.h arch/regs.h arch/uart.h

arch/power.h:

lib/types.h:

arch/acpi.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/boot_info.h:

lib/memory_map.h:

arch/cpu.h:

arch/regs.h:

arch/uart.h:
