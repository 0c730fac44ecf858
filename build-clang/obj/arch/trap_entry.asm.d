/tmp/mut2/build-clang/obj/arch/trap_entry.asm.o : \
  arch/trap_entry.asm

arch/trap_entry.asm :

