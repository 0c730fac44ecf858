; SPDX-License-Identifier: MIT
;
; The first and last instructions of every exception and interrupt.

%include "arch/asm.inc"

extern trap_handle, pks_write_msr

; Vectors for which the CPU pushes an error code (SDM 3A table 6-1).
%define HAS_ERROR_CODE(v) ((v) == 8 || ((v) >= 10 && (v) <= 14) || (v) == 17 || (v) == 21)

section .text

; 256 entry points, TRAP_STUB_SIZE bytes apart, named by the IDT.
align 16
global trap_stubs
trap_stubs:
%assign vector 0
%rep 256
        align   16
  %if !HAS_ERROR_CODE(vector)
        push    0
  %endif
        push    vector
        jmp     [rel trap_entry]
  %assign vector vector + 1
%endrep

%macro PUSH_REGISTERS 0
        push    rax
        push    rcx
        push    rdx
        push    rbx
        push    rbp
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        push    r12
        push    r13
        push    r14
        push    r15
        cld
%endmacro

%macro POP_REGISTERS_AND_RETURN 0
        pop     r15
        pop     r14
        pop     r13
        pop     r12
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rbp
        pop     rbx
        pop     rdx
        pop     rcx
        pop     rax
        add     rsp, 16                         ; vector, error code
        iretq
%endmacro

; A handler's brackets go behind all of the thread's, above a sentinel of their
; own that remembers the interrupted context's top. The slot at that top is left
; alone: the interrupted code may be filling it. So are the thread's closed
; brackets: a report names them. Saves percpu.bracket_top. Clobbers RAX, RCX,
; RDX.
%macro PUSH_BRACKETS 0
        mov     rdx, [gs:PERCPU_BRACKET_TOP]
        mov     rax, [gs:PERCPU_BRACKET_LIMIT]
        push    rdx
        lea     rcx, [rdx + BRACKET_SIZE]
        cmp     rcx, rax
        cmova   rax, rcx
        mov     qword [rax + BRACKET_ADDRESS], BRACKET_SENTINEL
        mov     [rax + BRACKET_INTERRUPTED], rdx
        or      byte [rax + BRACKET_INTERRUPTED], BRACKET_SPECIAL
        add     rax, BRACKET_SIZE
        mov     [gs:PERCPU_BRACKET_TOP], rax
%endmacro

; Put back percpu.rights and percpu.bracket_top. Clobbers RAX.
%macro POP_CONTEXT 0
        pop     rax                             ; soft_rights
        mov     [gs:PERCPU_RIGHTS], eax
        pop     qword [gs:PERCPU_BRACKET_TOP]
        add     rsp, 16                         ; rights, reserved
%endmacro

; Before PKS is on, and under engines that do not use it. In: a struct
; trap_frame on the stack from its `vector` on; keeps every register.
trap_entry_plain:
        PUSH_REGISTERS
        push    0                               ; reserved
        push    0                               ; rights
        PUSH_BRACKETS
        mov     eax, [gs:PERCPU_RIGHTS]
        push    rax                             ; soft_rights
        mov     rdi, rsp
        call    trap_handle
        POP_CONTEXT
        POP_REGISTERS_AND_RETURN

; With PKS. The register is read, not the soft copy: only the register tells
; what an interrupted pks_write_msr() had already done.
global trap_entry_pks
trap_entry_pks:
        PUSH_REGISTERS
        mov     ecx, MSR_IA32_PKRS
        rdmsr
        push    rax                             ; reserved
        push    rax                             ; rights
        mov     ebx, eax
        PUSH_BRACKETS
        mov     eax, [gs:PERCPU_RIGHTS]
        push    rax                             ; soft_rights
        mov     eax, PKRS_CLOSED
        mov     [gs:PERCPU_RIGHTS], eax
        cmp     ebx, eax
        je      .closed
        call    pks_write_msr
.closed:
        mov     rdi, rsp
        call    trap_handle
        mov     eax, [rsp + TRAP_FRAME_RIGHTS]
        cmp     eax, [gs:PERCPU_RIGHTS]
        je      .same
        call    pks_write_msr
.same:
        POP_CONTEXT
        POP_REGISTERS_AND_RETURN

section .data.ro_after_init progbits alloc noexec write align=8

; Where every stub goes on.
global trap_entry
trap_entry:
        dq      trap_entry_plain
