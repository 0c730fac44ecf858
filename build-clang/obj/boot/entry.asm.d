/tmp/mut2/build-clang/obj/boot/entry.asm.o : boot/entry.asm

boot/entry.asm :

