; SPDX-License-Identifier: MIT
;
; Writing the local APIC's registers where they are MSRs (SDM 3A 11.12.1). This
; is the second WRMSR that can be reached after boot. It can write MSRs 0x800 to
; 0x8ff only, whatever it is called with, and so never IA32_PKRS: make lint
; looks at the two instructions before it (docs/TRICKS.md).

%include "arch/asm.inc"

section .text

; void apic_write_msr(uint32_t number, uint64_t value)
;
; In: EDI = number of the MSR less 0x800 (bits 31:8 are ignored), RSI = value.
; Clobbers RAX, RCX, RDX. Any context; this CPU is in x2APIC mode.
global apic_write_msr
apic_write_msr:
        mov     eax, esi
        mov     rdx, rsi
        shr     rdx, 32
        movzx   ecx, dil
        or      ecx, MSR_X2APIC
        wrmsr
        ret
