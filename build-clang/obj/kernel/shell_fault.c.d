/tmp/mut2/build-clang/obj/kernel/shell_fault.c.o: kernel/shell_fault.c \
  kernel/guard.h include/keyhole.h lib/types.h kernel/shell_internal.h \
  kernel/shell.h lib/panic.h mm/stack.h

kernel/guard.h:

include/keyhole.h:

lib/types.h:

kernel/shell_internal.h:

kernel/shell.h:

lib/panic.h:

mm/stack.h:
