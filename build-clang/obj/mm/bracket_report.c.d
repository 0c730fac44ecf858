/tmp/mut2/build-clang/obj/mm/bracket_report.c.o: mm/bracket_report.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  arch/tlb.h arch/cpu.h arch/regs.h mm/bracket_internal.h mm/bracket.h \
  mm/context.h mm/local_window.h arch/pte.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/domain.h mm/keys.h mm/pt_window.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

mm/bracket_internal.h:

mm/bracket.h:

mm/context.h:

mm/local_window.h:

arch/pte.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/domain.h:

mm/keys.h:

mm/pt_window.h:
