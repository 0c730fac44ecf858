/tmp/mut2/build-clang/obj/kernel/lineedit.c.o: kernel/lineedit.c \
  kernel/lineedit.h lib/types.h kernel/lineedit_internal.h lib/string.h

kernel/lineedit.h:

lib/types.h:

kernel/lineedit_internal.h:

lib/string.h:
