/tmp/mut2/build-clang/obj/mm/stack.c.o: mm/stack.c mm/stack.h \
  include/keyhole.h lib/types.h arch/cpu.h arch/regs.h arch/asm.h \
  arch/pte.h arch/spinlock.h arch/percpu.h arch/trap.h lib/string.h \
  mm/heap_internal.h mm/frames.h lib/boot_info.h lib/memory_map.h \
  mm/layout.h mm/heap.h mm/lock.h mm/long_maps.h arch/tlb.h mm/misuse.h \
  mm/pagetable.h mm/pt_window.h arch/pks.h mm/keys.h

mm/stack.h:

include/keyhole.h:

lib/types.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

arch/pte.h:

arch/spinlock.h:

arch/percpu.h:

arch/trap.h:

lib/string.h:

mm/heap_internal.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/heap.h:

mm/lock.h:

mm/long_maps.h:

arch/tlb.h:

mm/misuse.h:

mm/pagetable.h:

mm/pt_window.h:

arch/pks.h:

mm/keys.h:
