/tmp/mut2/build-clang/obj/tests/test_stack.c.o: tests/test_stack.c \
  mm/stack.h include/keyhole.h lib/types.h arch/pte.h arch/trap.h \
  arch/asm.h kernel/misuse.h mm/misuse.h lib/string.h mm/audit.h \
  mm/frames.h lib/boot_info.h lib/memory_map.h mm/layout.h mm/lock.h \
  arch/spinlock.h arch/cpu.h arch/regs.h arch/percpu.h mm/pagetable.h \
  arch/tlb.h tests/alias.h

mm/stack.h:

include/keyhole.h:

lib/types.h:

arch/pte.h:

arch/trap.h:

arch/asm.h:

kernel/misuse.h:

mm/misuse.h:

lib/string.h:

mm/audit.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/lock.h:

arch/spinlock.h:

arch/cpu.h:

arch/regs.h:

arch/percpu.h:

mm/pagetable.h:

arch/tlb.h:

tests/alias.h:
