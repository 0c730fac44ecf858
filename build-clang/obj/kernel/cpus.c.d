/tmp/mut2/build-clang/obj/kernel/cpus.c.o: kernel/cpus.c kernel/cpus.h \
  lib/boot_info.h lib/memory_map.h lib/types.h arch/acpi.h arch/percpu.h \
  arch/asm.h include/keyhole.h arch/ap_start.h arch/apic.h arch/cpu.h \
  arch/regs.h arch/cpuid.h arch/pks.h arch/tlb.h arch/trap.h \
  kernel/config.h kernel/cmdline.h kernel/interrupt.h kernel/remote.h \
  kernel/thread.h mm/context.h mm/bracket.h mm/local_window.h arch/pte.h \
  mm/frames.h mm/layout.h lib/panic.h mm/heap.h mm/pagetable.h \
  mm/stack.h mm/trampoline.h

kernel/cpus.h:

lib/boot_info.h:

lib/memory_map.h:

lib/types.h:

arch/acpi.h:

arch/percpu.h:

arch/asm.h:

include/keyhole.h:

arch/ap_start.h:

arch/apic.h:

arch/cpu.h:

arch/regs.h:

arch/cpuid.h:

arch/pks.h:

arch/tlb.h:

arch/trap.h:

kernel/config.h:

kernel/cmdline.h:

kernel/interrupt.h:

kernel/remote.h:

kernel/thread.h:

mm/context.h:

mm/bracket.h:

mm/local_window.h:

arch/pte.h:

mm/frames.h:

mm/layout.h:

lib/panic.h:

mm/heap.h:

mm/pagetable.h:

mm/stack.h:

mm/trampoline.h:
