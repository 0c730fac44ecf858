/tmp/mut2/build-clang/obj/mm/audit_frames.c.o: mm/audit_frames.c \
  arch/pks.h arch/percpu.h arch/asm.h include/keyhole.h lib/types.h \
  arch/pte.h arch/trap.h mm/audit_internal.h mm/audit.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/domain.h mm/keys.h \
  mm/frame_cache.h mm/frames_internal.h mm/image.h mm/long_maps.h \
  arch/tlb.h arch/cpu.h arch/regs.h mm/section.h mm/stack.h \
  mm/vmap_slots.h

arch/pks.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/pte.h:

arch/trap.h:

mm/audit_internal.h:

mm/audit.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/domain.h:

mm/keys.h:

mm/frame_cache.h:

mm/frames_internal.h:

mm/image.h:

mm/long_maps.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

mm/section.h:

mm/stack.h:

mm/vmap_slots.h:
