; SPDX-License-Identifier: MIT
;
; The first and last instructions of every exception and interrupt.

%include "arch/asm.inc"

extern trap_handle, pks_write_msr_only, pks_write_msr_loaded

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

; Back to what was interrupted, by IRETQ. But not into the handler of an NMI:
; IRETQ would unblock NMIs there, and the next one would start at the top of the
; same stack, over the frame of the first (docs/TRICKS.md).
%macro POP_REGISTERS_AND_RETURN 0
        cmp     dword [gs:PERCPU_NMI_LEVEL], 0
        jne     return_in_nmi
        POP_REGISTERS
        add     rsp, 16                         ; vector, error code
        iretq
%endmacro

%macro POP_REGISTERS 0
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
%endmacro

; A handler's brackets go behind all of the thread's, above a sentinel of their
; own that remembers the interrupted context's top. The slot at that top is left
; alone: the interrupted code may be filling it. So are the thread's closed
; brackets: a report names them. Saves percpu.bracket_top. Clobbers RAX, RBX,
; RSI.
%macro PUSH_BRACKETS 0
        mov     rbx, [gs:PERCPU_BRACKET_TOP]
        mov     rax, [gs:PERCPU_BRACKET_LIMIT]
        push    rbx
        lea     rsi, [rbx + BRACKET_SIZE]
        cmp     rsi, rax
        cmova   rax, rsi
        mov     qword [rax + BRACKET_ADDRESS], BRACKET_SENTINEL
        or      rbx, BRACKET_SPECIAL
        mov     [rax + BRACKET_INTERRUPTED], rbx
        add     rax, BRACKET_SIZE
        mov     [gs:PERCPU_BRACKET_TOP], rax
%endmacro

; Put back percpu.rights and percpu.bracket_top. RSP is then at the registers.
%macro POP_CONTEXT 0
        pop     qword [gs:PERCPU_RIGHTS]        ; soft_rights, and a word of 0
        pop     qword [gs:PERCPU_BRACKET_TOP]
        add     rsp, 16                         ; rights, reserved
%endmacro

; Before PKS is on, and under engines that do not use it. In: a struct
; trap_frame on the stack from its `vector` on; keeps every register.
global trap_entry_plain
trap_entry_plain:
        PUSH_REGISTERS
        push    0                               ; reserved
        push    0                               ; rights
        PUSH_BRACKETS
        push    qword [gs:PERCPU_RIGHTS]        ; soft_rights
        mov     rdi, rsp
        call    trap_handle
        POP_CONTEXT
        POP_REGISTERS_AND_RETURN

; Into the handler of an NMI, with NMIs blocked as they are: by POPFQ and RET,
; from two words below the stack pointer that was interrupted. There is no red
; zone, so nobody has anything there but the CPU, which pushed the frame that
; is used up. POPFQ sets no TF: a handler of an NMI is not stepped through.
%define FRAME(member) (TRAP_FRAME_ %+ member - TRAP_FRAME_REGISTERS)
return_in_nmi:
        mov     rax, [rsp + FRAME(RSP)]
        mov     rcx, [rsp + FRAME(RFLAGS)]
        mov     rdx, [rsp + FRAME(HARDWARE)]    ; RIP
        sub     rax, 16
        mov     [rax], rcx
        mov     [rax + 8], rdx
        mov     [rsp + FRAME(ERROR_CODE)], rax
        POP_REGISTERS
        mov     rsp, [rsp + 8]                  ; behind the vector
        popfq
        ret

; With PKS. The register is read, not the soft copy: only the register tells
; what an interrupted pks_write_msr() had already done.
global trap_entry_pks
trap_entry_pks:
        PUSH_REGISTERS
        mov     ecx, MSR_IA32_PKRS
        rdmsr                                   ; EDX = 0 (SDM 3A 4.6.2)
        push    rax                             ; reserved
        push    rax                             ; rights
        PUSH_BRACKETS
        push    qword [gs:PERCPU_RIGHTS]        ; soft_rights
        mov     dword [gs:PERCPU_RIGHTS], PKRS_CLOSED
        cmp     dword [rsp + TRAP_FRAME_RIGHTS], PKRS_CLOSED
        je      .closed
        mov     eax, PKRS_CLOSED
        call    pks_write_msr_loaded
.closed:
        mov     rdi, rsp
        call    trap_handle
        mov     eax, [rsp + TRAP_FRAME_RIGHTS]
        cmp     eax, [gs:PERCPU_RIGHTS]
        je      .same
        call    pks_write_msr_only
.same:
        POP_CONTEXT
        POP_REGISTERS_AND_RETURN

section .data.ro_after_init progbits alloc noexec write align=8

; Where every stub goes on.
global trap_entry
trap_entry:
        dq      trap_entry_plain
