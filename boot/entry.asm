; SPDX-License-Identifier: MIT
;
; From a loader to boot_main(): the multiboot2 header, the PVH note, and the
; way from 32-bit protected mode without paging to 64-bit code at KERNEL_BASE.
;
; Both loaders enter in the same state (multiboot2 specification 3.3; Xen's
; PVH start info, and QEMU's -kernel): 32-bit flat segments, paging off,
; interrupts off, EBX = physical address of the loader's information.
; The early tables map the first 4 GiB twice over: one to one, and the first
; GiB of it at KERNEL_BASE. They are gone when mm/paging has built its own.

%include "arch/asm.inc"

%define PHYS(address)   ((address) - KERNEL_BASE)

MULTIBOOT2_HEADER_MAGIC equ 0xe85250d6
MULTIBOOT2_LOADER_MAGIC equ 0x36d76289
XEN_ELFNOTE_PHYS32_ENTRY equ 18

; enum boot_protocol
BOOT_PROTOCOL_MULTIBOOT2 equ 1
BOOT_PROTOCOL_PVH        equ 2

COM1                    equ 0x3f8
DEBUG_EXIT_PORT         equ 0xf4
EXIT_PANIC              equ 0x12

CR0_PE_MP_ET_NE_WP_PG   equ 0x80010033
CR4_PAE                 equ 1 << 5
EFER_LME                equ 1 << 8
CPUID_EXT_EDX_LM        equ 1 << 29

PTE_PRESENT_WRITE       equ 3
PTE_PRESENT_WRITE_LARGE equ 0x83

extern boot_main, stack_boot_top

; ---------------------------------------------------------------------------

section .multiboot2 progbits alloc noexec nowrite align=8

header_start:
        dd      MULTIBOOT2_HEADER_MAGIC
        dd      0                               ; i386
        dd      header_end - header_start
        dd      -(MULTIBOOT2_HEADER_MAGIC + (header_end - header_start))
        align 8
        dw      3, 0                            ; entry address, required
        dd      12
        dd      PHYS(entry_multiboot2)
        align 8
        dw      0, 0                            ; end of tags
        dd      8
header_end:

section .note.Xen note alloc noexec nowrite align=4

        dd      4, 8, XEN_ELFNOTE_PHYS32_ENTRY  ; name size, value size, type
        db      "Xen", 0
        dq      PHYS(entry_pvh)

; ---------------------------------------------------------------------------

section .init.entry progbits alloc exec nowrite align=16

bits 32

; Multiboot2. In: EAX = loader's magic, EBX = information.
global entry_multiboot2
entry_multiboot2:
        mov     esi, PHYS(message_loader)
        cmp     eax, MULTIBOOT2_LOADER_MAGIC
        jne     refuse
        mov     edi, BOOT_PROTOCOL_MULTIBOOT2
        jmp     enter

; PVH. In: EBX = struct hvm_start_info.
entry_pvh:
        mov     edi, BOOT_PROTOCOL_PVH

; In: EDI = enum boot_protocol, EBX = the loader's information, physical.
enter:
        cld
        mov     esp, PHYS(stack_boot_top)
        rdtsc
        mov     [PHYS(boot_tsc)], eax
        mov     [PHYS(boot_tsc) + 4], edx
        mov     ebp, ebx                        ; CPUID takes EBX
        mov     esi, PHYS(message_long_mode)
        mov     eax, 0x80000000
        cpuid
        cmp     eax, 0x80000001
        jb      refuse
        mov     eax, 0x80000001
        cpuid
        test    edx, CPUID_EXT_EDX_LM
        jz      refuse

        call    build_early_tables
        mov     eax, cr4
        or      eax, CR4_PAE
        mov     cr4, eax
        mov     eax, PHYS(early_pml4)
        mov     cr3, eax
        mov     ecx, MSR_EFER
        rdmsr
        or      eax, EFER_LME
        wrmsr
        mov     eax, CR0_PE_MP_ET_NE_WP_PG
        mov     cr0, eax
        lgdt    [PHYS(early_gdt_pointer)]
        jmp     8:PHYS(enter_long_mode)

; Fill the early tables, which the loader zeroed with the rest of .init.bss.
; Clobbers EAX, ECX, EDX.
build_early_tables:
        mov     dword [PHYS(early_pml4)], PHYS(early_pdpt_low) + PTE_PRESENT_WRITE
        mov     dword [PHYS(early_pml4) + 511 * 8], PHYS(early_pdpt_high) + PTE_PRESENT_WRITE
        mov     dword [PHYS(early_pdpt_high) + 510 * 8], PHYS(early_pd) + PTE_PRESENT_WRITE
        mov     eax, PHYS(early_pd) + PTE_PRESENT_WRITE
        xor     ecx, ecx
.pdpt:  mov     [PHYS(early_pdpt_low) + ecx * 8], eax
        add     eax, 4096
        inc     ecx
        cmp     ecx, 4
        jb      .pdpt
        mov     eax, PTE_PRESENT_WRITE_LARGE
        xor     ecx, ecx
.pd:    mov     [PHYS(early_pd) + ecx * 8], eax
        add     eax, 1 << 21
        inc     ecx
        cmp     ecx, 4 * 512
        jb      .pd
        ret

; Stop, with a line on the serial port. In: ESI = text, physical.
refuse:
        mov     ecx, uart_setup_end - uart_setup
        mov     ebx, PHYS(uart_setup)
.setup: movzx   edx, byte [ebx]
        add     edx, COM1
        mov     al, [ebx + 1]
        out     dx, al
        add     ebx, 2
        sub     ecx, 2
        jnz     .setup
.next:  mov     dx, COM1 + 5
        mov     ecx, 1000000                    ; a port that is not there
.wait:  in      al, dx                          ; must not hold us for ever
        test    al, 0x60                        ; transmitter empty
        loopz   .wait
        lodsb
        test    al, al
        jz      .end
        mov     dx, COM1
        out     dx, al
        jmp     .next
.end:   mov     al, EXIT_PANIC
        out     DEBUG_EXIT_PORT, al
.halt:  cli
        hlt
        jmp     .halt

; register offset, value: 115200 baud, 8N1, no interrupts
uart_setup:
        db      1, 0x00, 3, 0x80, 0, 0x01, 1, 0x00, 3, 0x03, 2, 0x07
uart_setup_end:

message_loader:
        db      "Bail out! keyhole: not started by a multiboot2 or PVH loader; "
        db      "use GRUB's multiboot2 command or qemu -kernel", 13, 10, 0
message_long_mode:
        db      "Bail out! keyhole: this CPU has no long mode (64-bit); with "
        db      "QEMU use qemu-system-x86_64 -cpu max", 13, 10, 0

        align   8
early_gdt:
        dq      0
        dq      0x00af9b000000ffff              ; 64-bit code
        dq      0x00cf93000000ffff              ; data
early_gdt_pointer:
        dw      3 * 8 - 1
        dd      PHYS(early_gdt)

bits 64

enter_long_mode:
        mov     eax, SELECTOR_DATA
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        xor     eax, eax
        mov     fs, eax
        mov     gs, eax
        mov     rax, .high
        jmp     rax
.high:  mov     rsp, stack_boot_top
        mov     esi, ebp
        xor     ebp, ebp                        ; ends every backtrace
        ; boot_main(enum boot_protocol protocol, uint32_t info_phys)
        call    boot_main
        ud2

; From the kernel that this one shares an image with, on its early tables, which
; map this one too.
;
; void enter_other(enum boot_protocol protocol, uint32_t info, uint64_t tsc)
global enter_other
enter_other:
        mov     [boot_tsc], rdx
        mov     rsp, stack_boot_top
        xor     ebp, ebp
        call    boot_main
        ud2

section .data.ro_after_init progbits alloc noexec write align=8

; The time-stamp counter at our first instructions; kernel/main.h.
global boot_tsc
boot_tsc:
        dq      0

section .init.bss nobits alloc noexec write align=4096

early_pml4:             resb 4096
early_pdpt_low:         resb 4096
early_pdpt_high:        resb 4096
early_pd:               resb 4096 * 4
