/tmp/mut2/build-clang/obj/kernel/info.c.o: kernel/info.c kernel/info.h \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  arch/pte.h kernel/config.h kernel/cmdline.h arch/apic.h \
  lib/boot_info.h lib/memory_map.h mm/domain.h mm/frames.h mm/layout.h \
  mm/keys.h mm/frame_cache.h mm/image.h mm/memory.h mm/tables.h

kernel/info.h:

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/pte.h:

kernel/config.h:

kernel/cmdline.h:

arch/apic.h:

lib/boot_info.h:

lib/memory_map.h:

mm/domain.h:

mm/frames.h:

mm/layout.h:

mm/keys.h:

mm/frame_cache.h:

mm/image.h:

mm/memory.h:

mm/tables.h:
