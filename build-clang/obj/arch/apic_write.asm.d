/tmp/mut2/build-clang/obj/arch/apic_write.asm.o : \
  arch/apic_write.asm

arch/apic_write.asm :

