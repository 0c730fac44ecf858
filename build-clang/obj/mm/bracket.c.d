/tmp/mut2/build-clang/obj/mm/bracket.c.o: mm/bracket.c mm/bracket.h \
  arch/asm.h include/keyhole.h lib/types.h arch/pks.h arch/percpu.h \
  mm/bracket_internal.h arch/cpu.h arch/regs.h mm/bracket_misuse.h \
  mm/domain.h mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h \
  mm/keys.h mm/misuse.h

mm/bracket.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

mm/bracket_internal.h:

arch/cpu.h:

arch/regs.h:

mm/bracket_misuse.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/misuse.h:
