/tmp/mut2/build-clang/obj/mm/audit.c.o: mm/audit.c mm/audit.h \
  include/keyhole.h lib/types.h arch/cpu.h arch/regs.h arch/asm.h \
  arch/cpuid.h arch/pks.h arch/percpu.h arch/pte.h mm/audit_internal.h \
  mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h mm/bracket.h \
  mm/lock.h arch/spinlock.h mm/pagetable.h arch/tlb.h mm/pt_window.h \
  mm/keys.h mm/section.h mm/tables.h

mm/audit.h:

include/keyhole.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/cpuid.h:

arch/pks.h:

arch/percpu.h:

arch/pte.h:

mm/audit_internal.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/bracket.h:

mm/lock.h:

arch/spinlock.h:

mm/pagetable.h:

arch/tlb.h:

mm/pt_window.h:

mm/keys.h:

mm/section.h:

mm/tables.h:
