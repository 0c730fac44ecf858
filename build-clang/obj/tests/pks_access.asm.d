/tmp/mut2/build-clang/obj/tests/pks_access.asm.o : \
  tests/pks_access.asm

tests/pks_access.asm :

