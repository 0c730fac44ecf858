/tmp/mut2/build-clang/obj/kernel/audit_print.c.o: kernel/audit_print.c \
  kernel/audit_print.h lib/types.h mm/audit.h include/keyhole.h

kernel/audit_print.h:

lib/types.h:

mm/audit.h:

include/keyhole.h:
