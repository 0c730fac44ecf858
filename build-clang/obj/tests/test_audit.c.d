/tmp/mut2/build-clang/obj/tests/test_audit.c.o: tests/test_audit.c \
  arch/percpu.h arch/asm.h include/keyhole.h lib/types.h arch/pte.h \
  arch/tlb.h arch/cpu.h arch/regs.h arch/trap.h mm/audit.h mm/domain.h \
  mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h mm/keys.h \
  mm/image.h mm/long_maps.h mm/pagetable.h mm/pt_window.h arch/pks.h \
  mm/tables.h tests/alias.h tests/planted.h

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

lib/types.h:

arch/pte.h:

arch/tlb.h:

arch/cpu.h:

arch/regs.h:

arch/trap.h:

mm/audit.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/image.h:

mm/long_maps.h:

mm/pagetable.h:

mm/pt_window.h:

arch/pks.h:

mm/tables.h:

tests/alias.h:

tests/planted.h:
