; SPDX-License-Identifier: MIT
;
; Code that is as broken as `fault double` and `fault nested` want it.

section .text

; _Noreturn void shell_lose_stack(void)
;
; No registers in. Moves RSP to an address that is never mapped and faults: the
; CPU cannot push the exception's frame and raises #DF (SDM 3A 6.15).
global shell_lose_stack
shell_lose_stack:
        mov     esp, 0x10000
        ud2

; void shell_probe_to_nowhere(void)
;
; No registers in. Clobbers RAX, R8. A refused access that is in the exception
; table, with a record of it at an address that is never mapped: the handler
; faults when it writes the record.
global shell_probe_to_nowhere
shell_probe_to_nowhere:
        mov     r8d, 0x10000
.read:  mov     al, [0]
.refused:
        ret

section .extable progbits alloc noexec nowrite align=8
        dq      shell_probe_to_nowhere.read, shell_probe_to_nowhere.refused, 0
