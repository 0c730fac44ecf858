/tmp/mut2/build-clang/obj/tests/test_fault.c.o: tests/test_fault.c \
  arch/cpu.h arch/regs.h arch/asm.h lib/types.h arch/cpuid.h arch/pks.h \
  arch/percpu.h include/keyhole.h kernel/misuse.h mm/misuse.h \
  kernel/symbols.h lib/string.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h mm/pagetable.h arch/pte.h \
  arch/tlb.h tests/alias.h tests/handlers.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/cpuid.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

kernel/misuse.h:

mm/misuse.h:

kernel/symbols.h:

lib/string.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/pagetable.h:

arch/pte.h:

arch/tlb.h:

tests/alias.h:

tests/handlers.h:
