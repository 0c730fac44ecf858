/tmp/mut2/build-clang/obj/tests/test_audit_finer.c.o: \
  tests/test_audit_finer.c arch/cpu.h arch/regs.h arch/asm.h lib/types.h \
  arch/cpuid.h arch/pks.h arch/percpu.h include/keyhole.h arch/pte.h \
  mm/domain.h mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h \
  mm/keys.h mm/image.h mm/pagetable.h arch/tlb.h tests/alias.h \
  tests/planted.h mm/audit.h tests/scratch.h

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/cpuid.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

arch/pte.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/image.h:

mm/pagetable.h:

arch/tlb.h:

tests/alias.h:

tests/planted.h:

mm/audit.h:

tests/scratch.h:
