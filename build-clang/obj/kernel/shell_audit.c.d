/tmp/mut2/build-clang/obj/kernel/shell_audit.c.o: kernel/shell_audit.c \
  kernel/audit_print.h lib/types.h kernel/shell_internal.h \
  kernel/shell.h

kernel/audit_print.h:

lib/types.h:

kernel/shell_internal.h:

kernel/shell.h:
