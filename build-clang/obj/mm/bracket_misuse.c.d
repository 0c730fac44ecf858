/tmp/mut2/build-clang/obj/mm/bracket_misuse.c.o: mm/bracket_misuse.c \
  mm/bracket_misuse.h include/keyhole.h mm/bracket.h arch/asm.h \
  lib/types.h arch/percpu.h mm/domain.h mm/frames.h lib/boot_info.h \
  lib/memory_map.h mm/layout.h mm/keys.h mm/local_window.h arch/cpu.h \
  arch/regs.h arch/pte.h mm/misuse.h mm/section.h

mm/bracket_misuse.h:

include/keyhole.h:

mm/bracket.h:

arch/asm.h:

lib/types.h:

arch/percpu.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/local_window.h:

arch/cpu.h:

arch/regs.h:

arch/pte.h:

mm/misuse.h:

mm/section.h:
