; SPDX-License-Identifier: MIT
;
; From the hot paths of map and unmap (keyhole.h) into mm/engine_flip.c, with
; every register kept that their inline assembly does not give away.

%include "arch/asm.inc"
%include "mm/cold_call.inc"

extern flip_map, flip_unmap

section .text

; In: RSI = the slot, raised; RDI = address; EAX = what is kept of the rights.
; Out: EAX = rights of the slot. Clobbers RCX, RDX, flags.
global flip_map_call
flip_map_call:
        ENTER
        mov     rdi, rsi
        mov     esi, eax
        call    flip_map
        LEAVE
        mov     eax, [rsi - BRACKET_SIZE + BRACKET_RIGHTS]
        sub     eax, RIGHTS_ONE_BRACKET
        ret

; In: RSI = where the next bracket goes. Clobbers RAX, RCX, RDX, flags.
global flip_unmap_call
flip_unmap_call:
        ENTER
        lea     rdi, [rsi - BRACKET_SIZE]
        call    flip_unmap
        LEAVE
        ret
