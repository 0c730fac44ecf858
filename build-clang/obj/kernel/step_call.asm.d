/tmp/mut2/build-clang/obj/kernel/step_call.asm.o : \
  kernel/step_call.asm

kernel/step_call.asm :

