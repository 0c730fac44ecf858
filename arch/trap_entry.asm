; SPDX-License-Identifier: MIT
;
; The first and last instructions of every exception and interrupt.

%include "arch/asm.inc"
%include "arch/trap.inc"

extern trap_handle, pks_write_msr, pks_write_msr_loaded

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

; Before PKS is on, and under engines that do not use it. In: a struct
; trap_frame on the stack from its `vector` on; keeps every register.
global trap_entry_plain
trap_entry_plain:
        PUSH_REGISTERS
        push    0                               ; rights
        PUSH_BRACKETS
        mov     rdi, rsp
        call    trap_handle
        POP_BRACKETS
        POP_REGISTERS_AND_RETURN

; Into the handler of an NMI, with NMIs blocked as they are: by POPFQ and RET,
; from two words below the stack pointer that was interrupted. There is no red
; zone, so nobody has anything there but the CPU, which pushed the frame that
; is used up. POPFQ sets no TF: a handler of an NMI is not stepped through.
%define FRAME(member) (TRAP_FRAME_ %+ member - TRAP_FRAME_REGISTERS)
global return_in_nmi
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

; With PKS. The register is read, not the word in the interrupted context's
; slot: only the register tells how far an interrupted map or unmap had got. On
; the way out it is compared with what this handler has, which is more than
; nothing only after fault=relaxed.
global trap_entry_pks
trap_entry_pks:
        PUSH_REGISTERS
        mov     ecx, MSR_IA32_PKRS
        rdmsr                                   ; EDX = 0 (SDM 3A 4.6.2)
        push    rax                             ; rights
        PUSH_BRACKETS
        cmp     dword [rsp + TRAP_FRAME_RIGHTS], PKRS_CLOSED
        je      .closed
        mov     eax, PKRS_CLOSED
        inc     qword [gs:PERCPU_OTHER_PKRS_WRITES]
        call    pks_write_msr_loaded
.closed:
        mov     rdi, rsp
        call    trap_handle
        mov     rdx, [gs:PERCPU_BRACKET_TOP]
        mov     eax, [rsp + TRAP_FRAME_RIGHTS]
        cmp     eax, [rdx - BRACKET_SIZE + BRACKET_RIGHTS]
        je      .same
        inc     qword [gs:PERCPU_OTHER_PKRS_WRITES]
        call    pks_write_msr
.same:
        POP_BRACKETS
        POP_REGISTERS_AND_RETURN

section .data.ro_after_init progbits alloc noexec write align=8

; Where every stub goes on.
global trap_entry
trap_entry:
        dq      trap_entry_plain
