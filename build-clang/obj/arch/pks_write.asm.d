/tmp/mut2/build-clang/obj/arch/pks_write.asm.o : \
  arch/pks_write.asm

arch/pks_write.asm :

