/tmp/mut2/build-clang/obj/kernel/lineedit_complete.c.o: \
  kernel/lineedit_complete.c kernel/lineedit_internal.h \
  kernel/lineedit.h lib/types.h lib/string.h

kernel/lineedit_internal.h:

kernel/lineedit.h:

lib/types.h:

lib/string.h:
