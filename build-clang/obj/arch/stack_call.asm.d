/tmp/mut2/build-clang/obj/arch/stack_call.asm.o : \
  arch/stack_call.asm

arch/stack_call.asm :

