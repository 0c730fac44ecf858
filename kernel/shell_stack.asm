; SPDX-License-Identifier: MIT
;
; A stack pointer that points nowhere, for `fault double`.

section .text

; _Noreturn void shell_lose_stack(void)
;
; No registers in. Moves RSP to an address that is never mapped and faults: the
; CPU cannot push the exception's frame and raises #DF (SDM 3A 6.15).
global shell_lose_stack
shell_lose_stack:
        mov     esp, 0x10000
        ud2
