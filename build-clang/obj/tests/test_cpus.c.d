/tmp/mut2/build-clang/obj/tests/test_cpus.c.o: tests/test_cpus.c \
  arch/apic.h lib/types.h arch/cpu.h arch/regs.h arch/asm.h arch/pks.h \
  arch/percpu.h include/keyhole.h arch/trap.h kernel/config.h \
  kernel/cmdline.h lib/boot_info.h lib/memory_map.h kernel/cpus.h \
  kernel/remote.h lib/string.h mm/bracket.h mm/image.h mm/keys.h \
  mm/layout.h mm/pagetable.h arch/pte.h arch/tlb.h tests/handlers.h

arch/apic.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

arch/trap.h:

kernel/config.h:

kernel/cmdline.h:

lib/boot_info.h:

lib/memory_map.h:

kernel/cpus.h:

kernel/remote.h:

lib/string.h:

mm/bracket.h:

mm/image.h:

mm/keys.h:

mm/layout.h:

mm/pagetable.h:

arch/pte.h:

arch/tlb.h:

tests/handlers.h:
