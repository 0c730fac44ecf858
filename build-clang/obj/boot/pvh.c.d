/tmp/mut2/build-clang/obj/boot/pvh.c.o: boot/pvh.c boot/pvh.h \
  lib/boot_info.h lib/memory_map.h lib/types.h boot/rsdp.h lib/string.h

boot/pvh.h:

lib/boot_info.h:

lib/memory_map.h:

lib/types.h:

boot/rsdp.h:

lib/string.h:
