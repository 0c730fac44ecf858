/tmp/mut2/build-clang/obj/mm/bracket_cold.asm.o : \
  mm/bracket_cold.asm

mm/bracket_cold.asm :

