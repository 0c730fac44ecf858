/tmp/mut2/build-clang/obj/kernel/cmdline.c.o: kernel/cmdline.c \
  kernel/cmdline.h arch/apic.h lib/types.h include/keyhole.h \
  lib/boot_info.h lib/memory_map.h lib/format.h lib/number.h \
  lib/string.h

kernel/cmdline.h:

arch/apic.h:

lib/types.h:

include/keyhole.h:

lib/boot_info.h:

lib/memory_map.h:

lib/format.h:

lib/number.h:

lib/string.h:
