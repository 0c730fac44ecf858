/tmp/mut2/build-clang/obj/tests/handler_stubs.asm.o : \
  tests/handler_stubs.asm

tests/handler_stubs.asm :

