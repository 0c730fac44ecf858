; SPDX-License-Identifier: MIT
;
; A call on another stack.

section .text

; void stack_call(void (*fn)(void *arg), void *arg, void *top)
;
; RDI, RSI, RDX in; clobbers what a C call clobbers. Moves RSP to `top`, which is
; aligned to 16, calls fn(arg), and moves back. RBP is a frame of this function
; on the old stack: fn keeps it, and a backtrace finds its way by it.
global stack_call
stack_call:
        push    rbp
        mov     rbp, rsp
        mov     rsp, rdx
        mov     rax, rdi
        mov     rdi, rsi
        call    rax
        mov     rsp, rbp
        pop     rbp
        ret
