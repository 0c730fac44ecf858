; SPDX-License-Identifier: MIT
;
; The switch between threads: what a call keeps is on the stack of whoever does
; not run. Rights, brackets and all else are the scheduler's (kernel/sched.c).

%include "arch/asm.inc"

section .text

; void context_switch(uintptr_t *save, uintptr_t load)
;
; In: RDI, RSI. Interrupts off. Saves and loads RBX, RBP, R12 to R15 and RSP;
; flags are the same on both sides but for those that a call clobbers.
global context_switch
context_switch:
        push    rbp                             ; a frame, for context_frame()
        push    rbx
        push    r12
        push    r13
        push    r14
        push    r15
        mov     [rdi], rsp
        mov     rsp, rsi
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbx
        pop     rbp
        ret

; uintptr_t context_make(void *top, void (*fn)(void))
;
; In: RDI, 16-byte aligned; RSI. Out: RAX. The new context finds RBP = 0, which
; ends backtraces, and a stack that is aligned for fn.
global context_make
context_make:
        lea     rax, [rdi - 9 * 8]
        xor     ecx, ecx
        mov     [rax], rcx                      ; r15
        mov     [rax + 8], rcx                  ; r14
        mov     [rax + 16], rcx                 ; r13
        mov     [rax + 24], rsi                 ; r12: fn
        mov     [rax + 32], rcx                 ; rbx
        mov     [rax + 40], rcx                 ; rbp
        lea     rdx, [rel context_begin]
        mov     [rax + 48], rdx
        mov     [rax + 56], rcx
        mov     [rax + 64], rcx
        ret

; Where a new context begins. RSP = top - 16.
context_begin:
        call    r12
        ud2
