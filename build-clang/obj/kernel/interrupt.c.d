/tmp/mut2/build-clang/obj/kernel/interrupt.c.o: kernel/interrupt.c \
  kernel/interrupt.h arch/tlb.h arch/cpu.h arch/regs.h arch/asm.h \
  lib/types.h arch/percpu.h include/keyhole.h arch/apic.h arch/cpuid.h \
  arch/pic.h arch/pte.h kernel/config.h kernel/cmdline.h lib/boot_info.h \
  lib/memory_map.h kernel/cpus.h kernel/remote.h kernel/timer.h \
  lib/panic.h mm/layout.h mm/pagetable.h

kernel/interrupt.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

include/keyhole.h:

arch/apic.h:

arch/cpuid.h:

arch/pic.h:

arch/pte.h:

kernel/config.h:

kernel/cmdline.h:

lib/boot_info.h:

lib/memory_map.h:

kernel/cpus.h:

kernel/remote.h:

kernel/timer.h:

lib/panic.h:

mm/layout.h:

mm/pagetable.h:
