; SPDX-License-Identifier: MIT
;
; The one place that writes IA32_PKRS, and the one WRMSR that can be reached
; after boot.

%include "arch/asm.inc"

section .text

; void pks_write_msr(uint32_t rights /* EAX */)
;
; In: EAX = the new rights. Clobbers RCX, RDX, flags; keeps all else, so that
; pks_set_rights() can call it from inline assembly. Any context.
;
; The soft copy is written first. A trap between the two stores finds the new
; soft copy and the old register; it saves and restores each by itself, so the
; order does not matter to it (docs/TRICKS.md, "Two copies of one word").
; The value of bits 63:32 is always 0: anything else raises #GP (SDM 3A 4.6.2).
global pks_write_msr, pks_write_msr_only, pks_write_msr_loaded
pks_write_msr:
        mov     [gs:PERCPU_RIGHTS], eax

; For the trap entry: the same, where the soft copy is written apart.
pks_write_msr_only:
        mov     ecx, MSR_IA32_PKRS
        xor     edx, edx

; And the same where ECX is MSR_IA32_PKRS and EDX is 0 already.
pks_write_msr_loaded:
        wrmsr
        inc     qword [gs:PERCPU_PKRS_WRITES]
        ret
