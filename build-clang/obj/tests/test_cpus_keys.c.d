/tmp/mut2/build-clang/obj/tests/test_cpus_keys.c.o: \
  tests/test_cpus_keys.c arch/asm.h arch/cpu.h arch/regs.h lib/types.h \
  arch/pks.h arch/percpu.h include/keyhole.h arch/tlb.h kernel/config.h \
  kernel/cmdline.h arch/apic.h lib/boot_info.h lib/memory_map.h \
  kernel/misuse.h mm/misuse.h kernel/remote.h mm/domain.h mm/frames.h \
  mm/layout.h mm/keys.h mm/lock.h arch/spinlock.h tests/handlers.h

arch/asm.h:

arch/cpu.h:

arch/regs.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

arch/tlb.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

lib/boot_info.h:

lib/memory_map.h:

kernel/misuse.h:

mm/misuse.h:

kernel/remote.h:

mm/domain.h:

mm/frames.h:

mm/layout.h:

mm/keys.h:

mm/lock.h:

arch/spinlock.h:

tests/handlers.h:
