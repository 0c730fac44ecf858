; SPDX-License-Identifier: MIT
;
; From the SIPI to ap_main(): what a CPU runs that another one starts.
;
; The first part is copied to a page below 1 MiB (arch/ap_start.c), which is
; mapped one to one and executable as long as CPUs are on their way (mm/
; trampoline). It is entered in real mode at offset 0 and goes through protected
; mode to the kernel's page tables; EFER.NXE and CR0.WP are set with paging. It
; reads the page and does not write to it. The second part is init code of the
; kernel at its own address.

%include "arch/asm.inc"

CR0_PE                  equ 1
CR0_PE_MP_ET_NE_WP_PG   equ 0x80010033
CR4_PAE                 equ 1 << 5
EFER_LME_NXE            equ 1 << 8 | 1 << 11

; Selectors of the page's GDT; the first two are the kernel's.
SELECTOR_CODE32         equ 0x18

CPUID_TOPOLOGY          equ 0xb

extern ap_main, ap_table, ap_table_count

; An offset in the page.
%define AT(label)       ((label) - ap_trampoline)

section .init.data progbits alloc noexec write align=16

global ap_trampoline, ap_trampoline_end
global ap_trampoline_gdt, ap_trampoline_protected, ap_trampoline_long
global ap_trampoline_root

bits 16

; In: CS = the page's address / 16, interrupts off (SDM 3A 8.4.3).
ap_trampoline:
        cli
        cld
        xor     ebx, ebx
        mov     bx, cs
        mov     ds, bx
        shl     ebx, 4                          ; the page's address
        o32 lgdt [AT(gdt_pointer)]
        mov     eax, CR0_PE
        mov     cr0, eax
        jmp     far dword [AT(far_protected)]

bits 32

.protected:
        mov     eax, SELECTOR_DATA
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     eax, CR4_PAE
        mov     cr4, eax
        mov     eax, [ebx + AT(ap_trampoline_root)]
        mov     cr3, eax
        mov     ecx, MSR_EFER
        rdmsr
        or      eax, EFER_LME_NXE
        wrmsr
        mov     eax, CR0_PE_MP_ET_NE_WP_PG
        mov     cr0, eax
        jmp     far [ebx + AT(far_long)]

bits 64

.long:
        mov     rax, ap_entry
        jmp     rax

        align   8
gdt:
        dq      0
        dq      0x00af9b000000ffff              ; 64-bit code
        dq      0x00cf93000000ffff              ; data
        dq      0x00cf9b000000ffff              ; 32-bit code
gdt_end:

; Addresses in the page: offsets here, to which the copy's address is added.
gdt_pointer:
        dw      gdt_end - gdt - 1
ap_trampoline_gdt:
        dd      AT(gdt)
far_protected:
ap_trampoline_protected:
        dd      AT(ap_trampoline.protected)
        dw      SELECTOR_CODE32
far_long:
ap_trampoline_long:
        dd      AT(ap_trampoline.long)
        dw      SELECTOR_CODE

; The root of the kernel's page tables, filled in like the above.
ap_trampoline_root:
        dd      0
ap_trampoline_end:

; ---------------------------------------------------------------------------

section .init.text

; On the kernel's page tables, with no stack. Finds this CPU in ap_table by its
; APIC ID and claims its entry, which may have been given up meanwhile; then
; ap_main(number of the entry), on the entry's stack.
ap_entry:
        mov     eax, SELECTOR_DATA
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax
        cpuid                                   ; leaf 0: EAX = the largest
        cmp     eax, CPUID_TOPOLOGY
        jb      .short
        mov     eax, CPUID_TOPOLOGY
        xor     ecx, ecx
        cpuid                                   ; EDX = x2APIC ID
        mov     r8d, edx
        test    ebx, ebx                        ; 0: the leaf is not there
        jnz     .search
.short: mov     eax, 1
        cpuid
        shr     ebx, 24                         ; EBX[31:24] = APIC ID
        mov     r8d, ebx
.search:
        xor     edi, edi
        mov     rdx, ap_table
.next:  cmp     edi, [ap_table_count]
        jae     .halt
        cmp     [rdx + AP_APIC_ID], r8d
        je      .found
        add     rdx, AP_SIZE
        inc     edi
        jmp     .next
.found: mov     eax, AP_AWAITED
        mov     ecx, AP_ALIVE
        lock cmpxchg [rdx + AP_STATE], ecx
        jne     .halt
        mov     rsp, [rdx + AP_STACK]
        xor     ebp, ebp                        ; ends every backtrace
        call    ap_main
.halt:  cli
        hlt
        jmp     .halt
