/tmp/mut2/build-clang/obj/kernel/run.c.o: kernel/run.c kernel/run.h \
  lib/types.h arch/power.h kernel/config.h kernel/cmdline.h arch/apic.h \
  include/keyhole.h lib/boot_info.h lib/memory_map.h kernel/shell.h

kernel/run.h:

lib/types.h:

arch/power.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

include/keyhole.h:

lib/boot_info.h:

lib/memory_map.h:

kernel/shell.h:
