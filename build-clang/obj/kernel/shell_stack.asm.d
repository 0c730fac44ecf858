/tmp/mut2/build-clang/obj/kernel/shell_stack.asm.o : \
  kernel/shell_stack.asm

kernel/shell_stack.asm :

