/tmp/mut2/build-clang/obj/kernel/config.c.o: kernel/config.c \
  kernel/config.h kernel/cmdline.h arch/apic.h lib/types.h \
  include/keyhole.h lib/boot_info.h lib/memory_map.h arch/acpi.h \
  arch/percpu.h arch/asm.h arch/cpu.h arch/regs.h arch/cpuid.h \
  arch/power.h lib/panic.h lib/string.h

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

lib/types.h:

include/keyhole.h:

lib/boot_info.h:

lib/memory_map.h:

arch/acpi.h:

arch/percpu.h:

arch/asm.h:

arch/cpu.h:

arch/regs.h:

arch/cpuid.h:

arch/power.h:

lib/panic.h:

lib/string.h:
