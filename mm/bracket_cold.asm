; SPDX-License-Identifier: MIT
;
; From the hot paths of map and unmap (keyhole.h) into C, with every register
; kept that their inline assembly does not give away.

%include "arch/asm.inc"
%include "mm/cold_call.inc"

extern bracket_map_slow, bracket_unmap_slow

section .text

; In: RAX = the slot, RDX = address or struct page, ECX = the packed site, with
; bit 31 set to write. Out: EAX = the rights of this context, RDX = address for
; the caller. Clobbers RCX, flags.
global bracket_map_cold
bracket_map_cold:
        ENTER
        mov     rdi, rax
        mov     rsi, rdx
        mov     edx, ecx
        call    bracket_map_slow
        mov     rdx, rax
        mov     rax, [gs:PERCPU_BRACKET_TOP]
        mov     eax, [rax - BRACKET_SIZE + BRACKET_RIGHTS]
        LEAVE
        ret

; In: RAX = address, ECX = the packed site. Clobbers RAX, RCX, RDX, flags.
global bracket_unmap_cold
bracket_unmap_cold:
        ENTER
        mov     rdi, rax
        mov     esi, ecx
        call    bracket_unmap_slow
        LEAVE
        ret
