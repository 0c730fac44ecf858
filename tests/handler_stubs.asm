; SPDX-License-Identifier: MIT
;
; Code of which a test knows every instruction.

%include "arch/asm.inc"

VECTOR_CALL equ 0xf0

extern trap_entry_plain

section .text

; An interrupt gate's target: the trap entry that knows nothing of keys, with
; what a stub of arch/trap_entry.asm pushes.
global stub_call_without_keys
stub_call_without_keys:
        push    0
        push    VECTOR_CALL
        jmp     [rel .entry]
        align   8
.entry: dq      trap_entry_plain

; void stub_five(void *unused)
global stub_five
stub_five:
        push    rdi
        nop
        pop     rdi
        nop
        ret

; void stub_interrupted(void *unused)
;
; The interrupt's handler finds nothing to do.
global stub_interrupted
stub_interrupted:
        nop
        int     VECTOR_CALL
        nop
        ret

; -------------------------------------------------------------- Registers kept

PATTERN equ 0x1122334455667700

; Give each register of a list a value of its own, its place in it; and compare,
; jumping to %1 if one has another. Compare through the stack: no register is
; free for an immediate of 64 bits.
%macro REGISTERS_FILL 1-*
  %assign place 0
  %rep %0
        mov     %1, PATTERN + place
    %assign place place + 1
    %rotate 1
  %endrep
%endmacro

%macro REGISTERS_COMPARE 2-*
  %define otherwise %1
  %rotate 1
  %assign place 0
  %rep %0 - 1
        push    (PATTERN >> 32)
        mov     dword [rsp + 4], PATTERN >> 32
        mov     dword [rsp], (PATTERN + place) & 0xffffffff
        cmp     %1, [rsp]
        lea     rsp, [rsp + 8]
        jne     otherwise
    %assign place place + 1
    %rotate 1
  %endrep
%endmacro

%macro KEPT_PUSH 0
        push    rbx
        push    rbp
        push    r12
        push    r13
        push    r14
        push    r15
%endmacro

%macro KEPT_POP 0
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     rbp
        pop     rbx
%endmacro

; bool stub_interrupt_keeps_registers(void)
;
; The interrupt of a call, with RFLAGS.DF and CF set and every register filled.
global stub_interrupt_keeps_registers
stub_interrupt_keeps_registers:
        KEPT_PUSH
        REGISTERS_FILL rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        std
        stc
        int     VECTOR_CALL
        jnc     .lost
        REGISTERS_COMPARE .lost, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
        pushfq
        pop     rax
        cld
        shr     eax, 10                         ; RFLAGS.DF
        and     eax, 1
        jmp     .out
.lost:  cld
        xor     eax, eax
.out:   KEPT_POP
        ret

; void stub_clobber(void *flags): RFLAGS to *flags, and no register is kept that
; a call need not keep.
global stub_clobber
stub_clobber:
        pushfq
        pop     qword [rdi]
        xor     eax, eax
        xor     ecx, ecx
        xor     edx, edx
        xor     esi, esi
        xor     edi, edi
        xor     r8d, r8d
        xor     r9d, r9d
        xor     r10d, r10d
        xor     r11d, r11d
        ret

; bool stub_protected_keeps_registers(void)
;
; run_protected() of code that faults with every register lost.
extern run_protected
global stub_protected_keeps_registers
stub_protected_keeps_registers:
        KEPT_PUSH
        sub     rsp, 8
        REGISTERS_FILL rbx, rbp, r12, r13, r14, r15
        mov     rdi, lose_and_fault
        xor     esi, esi
        xor     edx, edx
        call    run_protected
        test    al, al
        jnz     .lost                           ; it did not fault
        REGISTERS_COMPARE .lost, rbx, rbp, r12, r13, r14, r15
        mov     eax, 1
        jmp     .out
.lost:  xor     eax, eax
.out:   add     rsp, 8
        KEPT_POP
        ret

lose_and_fault:
        xor     ebx, ebx
        xor     ebp, ebp
        xor     r12d, r12d
        xor     r13d, r13d
        xor     r14d, r14d
        xor     r15d, r15d
        mov     al, [r15]
        ret

; ------------------------------------------------------------------ Breakpoints

; The gate of #DB while a test has a breakpoint set: turns breakpoints off and
; calls breakpoint_hit(), wherever it comes, trap entry and exit included. Leaves
; alone what the entry would change: the CPU's data and IA32_PKRS.
extern breakpoint_hit
global stub_breakpoint
stub_breakpoint:
        push    rax
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        push    rbp
        xor     eax, eax
        mov     dr7, rax
        mov     rbp, rsp
        and     rsp, -16
        cld
        call    breakpoint_hit
        mov     rsp, rbp
        pop     rbp
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rax
        iretq

; void stub_call_interrupt(void *unused)
global stub_call_interrupt
stub_call_interrupt:
        int     VECTOR_CALL
        ret
