/tmp/mut2/build-clang/obj/tests/bench.c.o: tests/bench.c tests/bench.h \
  lib/types.h arch/cpu.h arch/regs.h arch/asm.h kernel/config.h \
  kernel/cmdline.h arch/apic.h include/keyhole.h lib/boot_info.h \
  lib/memory_map.h kernel/main.h kernel/run.h lib/glob.h mm/memory.h \
  arch/pte.h mm/tables.h

tests/bench.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

include/keyhole.h:

lib/boot_info.h:

lib/memory_map.h:

kernel/main.h:

kernel/run.h:

lib/glob.h:

mm/memory.h:

arch/pte.h:

mm/tables.h:
