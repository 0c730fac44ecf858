/tmp/mut2/build-clang/obj/tests/test_peers_pks.c.o: \
  tests/test_peers_pks.c arch/cpu.h arch/regs.h arch/asm.h lib/types.h \
  arch/pks.h arch/percpu.h include/keyhole.h kernel/config.h \
  kernel/cmdline.h arch/apic.h lib/boot_info.h lib/memory_map.h \
  mm/domain.h mm/frames.h mm/layout.h mm/keys.h mm/pagetable.h \
  arch/pte.h arch/tlb.h tests/handlers.h tests/pks_access.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

lib/boot_info.h:

lib/memory_map.h:

mm/domain.h:

mm/frames.h:

mm/layout.h:

mm/keys.h:

mm/pagetable.h:

arch/pte.h:

arch/tlb.h:

tests/handlers.h:

tests/pks_access.h:
