/tmp/mut2/build-clang/obj/tests/test_model.c.o: tests/test_model.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  kernel/config.h kernel/cmdline.h arch/apic.h lib/boot_info.h \
  lib/memory_map.h lib/glob.h mm/audit.h tests/alias.h arch/pte.h \
  mm/layout.h tests/model.h tests/scratch.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

lib/boot_info.h:

lib/memory_map.h:

lib/glob.h:

mm/audit.h:

tests/alias.h:

arch/pte.h:

mm/layout.h:

tests/model.h:

tests/scratch.h:
