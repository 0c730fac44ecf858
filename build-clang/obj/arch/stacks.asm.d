/tmp/mut2/build-clang/obj/arch/stacks.asm.o : arch/stacks.asm

arch/stacks.asm :

