/tmp/mut2/build-clang/obj/boot/multiboot2.c.o: boot/multiboot2.c \
  boot/multiboot2.h lib/boot_info.h lib/memory_map.h lib/types.h \
  boot/rsdp.h lib/string.h

boot/multiboot2.h:

lib/boot_info.h:

lib/memory_map.h:

lib/types.h:

boot/rsdp.h:

lib/string.h:
