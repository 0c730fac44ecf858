; SPDX-License-Identifier: MIT
;
; Copies that survive a refused access, and the way back from code that did
; not. Instructions that may fault are listed in the exception table; the trap
; handler fills the struct fault that R8 points at and goes on at the fixup.

%include "arch/asm.inc"

ACCESS_READ     equ 0
ACCESS_WRITE    equ 1

%macro EXTABLE 3 ; instruction, fixup, enum fault_access
section .extable progbits alloc noexec nowrite align=8
        dq      %1, %2, %3
section .text
%endmacro

section .text

; bool probe_read(const void *address, void *to, size_t length,
;                 struct fault *fault)
; bool probe_write(void *address, const void *from, size_t length,
;                  struct fault *fault)
;
; In: RDI, RSI, RDX, RCX. Out: EAX = 1, or 0 when an access was refused; *RCX
; filled if RCX is not 0. Touches nothing beyond `length` bytes. Clobbers RCX,
; RDX, RSI, RDI, R8. Any context; the rights are the caller's.
;
; The trap handler fills a struct fault on this stack, which is open to it. The
; caller's may lie in a frame that only the caller has open, so it is written
; here.
extern probe_passed
global probe_read, probe_write, probe_copy
probe_read:
        xchg    rdi, rsi
        sub     rsp, FAULT_SIZE
        jmp     probe_copy
probe_write:
        sub     rsp, FAULT_SIZE
probe_copy:                                     ; the name in a record
        mov     r8, rsp
        sub     rdx, 8
        jb      .tail
.qword:
.read8: mov     rax, [rsi]
.write8:
        mov     [rdi], rax
        add     rsi, 8
        add     rdi, 8
        sub     rdx, 8
        jae     .qword
.tail:  add     rdx, 8
        jz      .done
.byte:
.read1: mov     al, [rsi]
.write1:
        mov     [rdi], al
        inc     rsi
        inc     rdi
        dec     rdx
        jnz     .byte
.done:  add     rsp, FAULT_SIZE
        test    rcx, rcx
        jnz     .passed
        mov     eax, 1
        ret
.passed:
        mov     rdi, rcx
        jmp     probe_passed                    ; fills *fault, returns 1
.refused:
        test    rcx, rcx
        jz      .unwanted
        mov     rdi, rcx
        mov     rsi, rsp
        mov     ecx, FAULT_SIZE / 8
        rep movsq
.unwanted:
        add     rsp, FAULT_SIZE
        xor     eax, eax
        ret

EXTABLE probe_copy.read8, probe_copy.refused, ACCESS_READ
EXTABLE probe_copy.write8, probe_copy.refused, ACCESS_WRITE
EXTABLE probe_copy.read1, probe_copy.refused, ACCESS_READ
EXTABLE probe_copy.write1, probe_copy.refused, ACCESS_WRITE

; int catch_enter(struct catch_frame *frame)
;
; In: RDI. Out: EAX = 0 the first time; 1 when a fault in what follows came
; back here. Saves the registers that a call keeps, then lets C do the rest.
extern catch_push
global catch_enter
catch_enter:
        mov     [rdi + CATCH_RBX], rbx
        mov     [rdi + CATCH_RBP], rbp
        mov     [rdi + CATCH_R12], r12
        mov     [rdi + CATCH_R13], r13
        mov     [rdi + CATCH_R14], r14
        mov     [rdi + CATCH_R15], r15
        mov     rax, [rsp]
        mov     [rdi + CATCH_RIP], rax
        lea     rax, [rsp + 8]
        mov     [rdi + CATCH_RSP], rax
        pushfq
        pop     qword [rdi + CATCH_RFLAGS]
        sub     rsp, 8
        call    catch_push
        add     rsp, 8
        xor     eax, eax
        ret

; _Noreturn void catch_resume(const struct catch_frame *frame)
;
; In: RDI. Goes on behind the call of catch_enter() that filled *frame,
; with EAX = 1. By IRETQ, since the code that is abandoned may be an NMI's
; handler: only IRETQ unblocks NMIs (SDM 3A 6.7.1). Rights and brackets are put
; back by the caller.
global catch_resume
catch_resume:
        push    SELECTOR_DATA
        push    qword [rdi + CATCH_RSP]
        push    qword [rdi + CATCH_RFLAGS]
        push    SELECTOR_CODE
        push    qword [rdi + CATCH_RIP]
        mov     rbx, [rdi + CATCH_RBX]
        mov     rbp, [rdi + CATCH_RBP]
        mov     r12, [rdi + CATCH_R12]
        mov     r13, [rdi + CATCH_R13]
        mov     r14, [rdi + CATCH_R14]
        mov     r15, [rdi + CATCH_R15]
        mov     eax, 1
        iretq

; _Noreturn void catch_resume_in_nmi(const struct catch_frame *frame)
;
; The same inside the handler of an NMI, with NMIs blocked as they are.
global catch_resume_in_nmi
catch_resume_in_nmi:
        mov     rsp, [rdi + CATCH_RSP]
        push    qword [rdi + CATCH_RIP]
        push    qword [rdi + CATCH_RFLAGS]
        mov     rbx, [rdi + CATCH_RBX]
        mov     rbp, [rdi + CATCH_RBP]
        mov     r12, [rdi + CATCH_R12]
        mov     r13, [rdi + CATCH_R13]
        mov     r14, [rdi + CATCH_R14]
        mov     r15, [rdi + CATCH_R15]
        mov     eax, 1
        popfq
        ret
