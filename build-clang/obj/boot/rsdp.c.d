/tmp/mut2/build-clang/obj/boot/rsdp.c.o: boot/rsdp.c boot/rsdp.h \
  lib/boot_info.h lib/memory_map.h lib/types.h lib/string.h

boot/rsdp.h:

lib/boot_info.h:

lib/memory_map.h:

lib/types.h:

lib/string.h:
