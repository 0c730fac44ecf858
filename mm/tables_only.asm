; SPDX-License-Identifier: MIT
;
; Page tables that are read-only but while CR0.WP is clear.

%include "arch/asm.inc"
%include "arch/trap.inc"

extern trap_handle, return_in_nmi

section .text

; Page tables as the word of rights says. In: EAX = rights. Clobbers RCX, RDX,
; flags.
global tables_rights_write
tables_rights_write:
        mov     ecx, CR0_KERNEL
        test    eax, RIGHTS_TABLES_WD
        jnz     .closed
        mov     ecx, CR0_TABLES_OPEN
.closed:
        mov     rdx, cr0                        ; reading is cheap, writing not
        cmp     edx, ecx
        je      .same
        mov     cr0, rcx
        inc     qword [gs:PERCPU_CR0_WRITES]
.same:  ret

; The ends of a trap. In the frame, `rights` is CR0: only the register tells how
; far an interrupted call had got.
global trap_entry_tables
trap_entry_tables:
        PUSH_REGISTERS
        mov     rax, cr0
        push    rax
        cmp     eax, CR0_KERNEL
        je      .closed
        mov     eax, CR0_KERNEL
        mov     cr0, rax
        inc     qword [gs:PERCPU_CR0_WRITES]
.closed:
        PUSH_BRACKETS
        mov     rdi, rsp
        call    trap_handle
        mov     rcx, cr0
        mov     eax, [rsp + TRAP_FRAME_RIGHTS]
        cmp     eax, ecx
        je      .same
        mov     cr0, rax
        inc     qword [gs:PERCPU_CR0_WRITES]
.same:  POP_BRACKETS
        POP_REGISTERS_AND_RETURN
