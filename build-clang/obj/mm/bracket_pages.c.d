/tmp/mut2/build-clang/obj/mm/bracket_pages.c.o: mm/bracket_pages.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  mm/bracket_internal.h arch/cpu.h arch/regs.h mm/bracket.h \
  mm/bracket_misuse.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h mm/local_window.h arch/pte.h \
  mm/misuse.h mm/pt_window.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/bracket_internal.h:

arch/cpu.h:

arch/regs.h:

mm/bracket.h:

mm/bracket_misuse.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/local_window.h:

arch/pte.h:

mm/misuse.h:

mm/pt_window.h:
