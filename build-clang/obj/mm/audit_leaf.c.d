/tmp/mut2/build-clang/obj/mm/audit_leaf.c.o: mm/audit_leaf.c arch/pte.h \
  lib/types.h arch/trap.h arch/asm.h mm/audit_internal.h mm/audit.h \
  include/keyhole.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h mm/bracket.h mm/domain.h mm/keys.h mm/image.h \
  mm/long_maps.h arch/tlb.h arch/cpu.h arch/regs.h arch/percpu.h \
  mm/section.h mm/stack.h mm/vmap_slots.h

arch/pte.h:

lib/types.h:

arch/trap.h:

arch/asm.h:

mm/audit_internal.h:

mm/audit.h:

include/keyhole.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/bracket.h:

mm/domain.h:

mm/keys.h:

mm/image.h:

mm/long_maps.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/section.h:

mm/stack.h:

mm/vmap_slots.h:
