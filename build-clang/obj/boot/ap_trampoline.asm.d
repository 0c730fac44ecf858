/tmp/mut2/build-clang/obj/boot/ap_trampoline.asm.o : \
  boot/ap_trampoline.asm

boot/ap_trampoline.asm :

