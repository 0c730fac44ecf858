/tmp/mut2/build-clang/obj/tests/test_stack_call.c.o: \
  tests/test_stack_call.c include/keyhole.h lib/types.h mm/stack.h

include/keyhole.h:

lib/types.h:

mm/stack.h:
