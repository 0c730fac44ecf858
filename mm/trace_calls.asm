; SPDX-License-Identifier: MIT
;
; What the calls of the hot paths are given for a target where brackets are
; noted (mm/trace.h): note it, then what the engine does. Bound by what
; keyhole.h says that such a call clobbers: RAX, RCX, RDX, and flags.

%include "arch/asm.inc"
%include "mm/cold_call.inc"

extern trace_map, trace_unmap, trace_target

section .text

; NOTE function: RSI = the slot or the top, RDI = address, EAX = rights from here
; on, and the return address of the hook, which is in the map or unmap call.
%macro NOTE 1
        push    rax
        push    rcx
        push    rdx
        ENTER
        mov     edx, eax
        mov     rcx, [rbp + 32]
        xchg    rdi, rsi
        call    %1
        LEAVE
        pop     rdx
        pop     rcx
        pop     rax
%endmacro

; GO_ON kind: to the engine's target. 0: rights are its business, and there is
; nothing to do where they stay what they are, %2.
%macro GO_ON 2
        cmp     qword [trace_target + %1 * 8], 0
        je      %%keys
        jmp     [trace_target + %1 * 8]
%%keys: cmp     eax, %2
        jne     pks_write_bracket
        ret
%endmacro

extern pks_write_bracket

global trace_map_call
trace_map_call:
        NOTE    trace_map
        GO_ON   0, [rsi - BRACKET_SIZE + BRACKET_RIGHTS]

global trace_map_range_call
trace_map_range_call:
        NOTE    trace_map
        GO_ON   1, [rsi - BRACKET_SIZE + BRACKET_RIGHTS]

global trace_unmap_call
trace_unmap_call:
        NOTE    trace_unmap
        GO_ON   2, [rsi - BRACKET_SIZE + BRACKET_RIGHTS]
