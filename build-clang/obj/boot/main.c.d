/tmp/mut2/build-clang/obj/boot/main.c.o: boot/main.c boot/main.h \
  lib/boot_info.h lib/memory_map.h lib/types.h boot/multiboot2.h \
  boot/pvh.h kernel/main.h

boot/main.h:

lib/boot_info.h:

lib/memory_map.h:

lib/types.h:

boot/multiboot2.h:

boot/pvh.h:

kernel/main.h:
