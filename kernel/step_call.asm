; SPDX-License-Identifier: MIT
;
; The call that is stepped through.

%include "arch/asm.inc"

section .text

; void step_call(void (*fn)(void *arg), void *arg)
;
; In: RDI, RSI. Calls fn(arg) with RFLAGS.TF set: the first #DB comes behind the
; CALL, at fn's first instruction (SDM 3B 17.3.1.4), the last at step_call_end,
; where the handler clears TF. RFLAGS is then put back, with TF as it was: the
; caller may be stepped through itself. The stack is aligned for fn.
global step_call, step_call_end
step_call:
        push    rbp
        mov     rbp, rsp
        pushfq
        sub     rsp, 8
        mov     rax, rdi
        mov     rdi, rsi
        pushfq
        or      qword [rsp], 1 << RFLAGS_TF_BIT
        popfq
        call    rax
step_call_end:
        add     rsp, 8
        popfq
        pop     rbp
        ret
