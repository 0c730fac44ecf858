/tmp/mut2/build-clang/obj/arch/switch.asm.o : arch/switch.asm

arch/switch.asm :

