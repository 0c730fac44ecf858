; SPDX-License-Identifier: MIT
;
; The boot CPU's stacks, each with a guard page at both ends. The guards are
; left unmapped when the kernel builds its page tables (mm/image).

%include "arch/asm.inc"

%macro STACK 2 ; name, size in bytes
global %1_bottom, %1_top
%1_bottom:
        resb    %2
%1_top:
        resb    STACK_GUARD_SIZE
%endmacro

section .stacks nobits alloc write align=4096

        resb    STACK_GUARD_SIZE
STACK   stack_boot, STACK_SIZE_BOOT
STACK   stack_idle, STACK_SIZE_IDLE
STACK   stack_double_fault, STACK_SIZE_IST
STACK   stack_nmi, STACK_SIZE_IST
STACK   stack_machine_check, STACK_SIZE_IST
