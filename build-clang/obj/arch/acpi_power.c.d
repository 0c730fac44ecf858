/tmp/mut2/build-clang/obj/arch/acpi_power.c.o: arch/acpi_power.c \
  arch/acpi.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  lib/boot_info.h lib/memory_map.h lib/string.h

arch/acpi.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

lib/boot_info.h:

lib/memory_map.h:

lib/string.h:
