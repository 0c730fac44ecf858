/tmp/mut2/build-clang/obj/arch/saved.asm.o : arch/saved.asm

arch/saved.asm :

