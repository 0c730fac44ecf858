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
