/tmp/mut2/build-clang/obj/mm/stats.c.o: mm/stats.c arch/percpu.h \
  arch/asm.h include/keyhole.h lib/types.h mm/bracket.h

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

mm/bracket.h:
