/tmp/mut2/build-clang/obj/tests/bench_frames.c.o: tests/bench_frames.c \
  mm/frame_fill.h arch/cpu.h arch/regs.h arch/asm.h lib/types.h \
  arch/pks.h arch/percpu.h include/keyhole.h mm/domain.h mm/frames.h \
  lib/boot_info.h lib/memory_map.h mm/layout.h mm/keys.h \
  mm/frame_cache.h tests/bench.h

mm/frame_fill.h:

arch/cpu.h:

arch/regs.h:

arch/asm.h:

lib/types.h:

arch/pks.h:

arch/percpu.h:

include/keyhole.h:

mm/domain.h:

mm/frames.h:

lib/boot_info.h:

lib/memory_map.h:

mm/layout.h:

mm/keys.h:

mm/frame_cache.h:

tests/bench.h:
