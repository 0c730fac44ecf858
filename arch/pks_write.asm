; SPDX-License-Identifier: MIT
;
; The one place that writes IA32_PKRS. The other WRMSR that can be reached after
; boot is the local APIC's, which cannot be made to write this register
; (arch/apic_write.asm).

%include "arch/asm.inc"

section .text

; void pks_write_bracket(uint32_t rights /* EAX */)
;
; For the hot paths of map and unmap (keyhole.h). In: EAX = the new rights.
; Clobbers RCX, RDX, flags; keeps all else, so that inline assembly can call it.
; Any context.
global pks_write_bracket, pks_write_msr, pks_write_msr_loaded
pks_write_bracket:
        inc     qword [gs:PERCPU_BRACKET_PKRS_WRITES]

; The same for everybody else, who counts apart.
pks_write_msr:
        mov     ecx, MSR_IA32_PKRS
        xor     edx, edx                ; anything else raises #GP (SDM 3A 4.6.2)

; And the same where ECX is MSR_IA32_PKRS and EDX is 0 already.
pks_write_msr_loaded:
        wrmsr
        ret
