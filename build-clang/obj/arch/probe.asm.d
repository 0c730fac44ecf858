/tmp/mut2/build-clang/obj/arch/probe.asm.o : arch/probe.asm

arch/probe.asm :

