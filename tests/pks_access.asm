; SPDX-License-Identifier: MIT
;
; Single accesses for the conformance tests of protection keys. Those that may
; be refused are listed in the exception table: the handler fills the struct
; fault that R8 points at and goes on at the fixup.

%include "arch/asm.inc"

ACCESS_READ     equ 0
ACCESS_WRITE    equ 1

; enum pks_access in pks_access.h
PKS_READ        equ 0
PKS_WRITE       equ 1
PKS_MODIFY      equ 2
PKS_FETCH       equ 3

%macro EXTABLE 3 ; instruction, fixup, enum fault_access
section .extable progbits alloc noexec nowrite align=8
        dq      %1, %2, %3
section .text
%endmacro

; A C function of three arguments: one instruction that may be refused.
; In: RDI = address, RSI = operand, RDX = struct fault *. Out: EAX = 1, or 0
; when it was refused. Clobbers R8 and what the instruction does.
%macro ACCESS 3+ ; name, enum fault_access, instruction
global %1
%1:
        mov     r8, rdx
.at:    %3
        mov     eax, 1
        ret
.refused:
        xor     eax, eax
        ret
EXTABLE %1.at, %1.refused, %2
%endmacro

section .text

; bool pks_access_read(void *address, uint64_t *value, struct fault *fault)
global pks_access_read
pks_access_read:
        mov     r8, rdx
.at:    mov     rax, [rdi]
        mov     [rsi], rax
        mov     eax, 1
        ret
.refused:
        xor     eax, eax
        ret
EXTABLE pks_access_read.at, pks_access_read.refused, ACCESS_READ

; bool pks_access_NAME(void *address, uint64_t operand, struct fault *fault)
ACCESS pks_access_write, ACCESS_WRITE, mov [rdi], rsi
ACCESS pks_access_modify, ACCESS_WRITE, add [rdi], rsi
ACCESS pks_access_prefetchw, ACCESS_WRITE, prefetchw [rdi]
ACCESS pks_access_invlpg, ACCESS_READ, invlpg [rdi]
ACCESS pks_access_clflush, ACCESS_READ, clflush [rdi]
; ES has no meaning in 64-bit mode, but its descriptor is read all the same.
ACCESS pks_access_load_es, ACCESS_READ, mov es, esi
; Vector 80: a gate that the tests supply. Clobbers RAX.
ACCESS pks_access_int, ACCESS_READ, int 80

; The handler behind that gate. IRETQ and no more.
global pks_access_handler
pks_access_handler:
        iretq

; void pks_access_fetch(void *address)
;
; In: RDI = where pks_fetch_target was copied to. Goes there and comes back
; without a stack, so that nothing but the fetch touches memory. Not in the
; exception table: the refused instruction is the one at the address.
; Clobbers R11.
global pks_access_fetch
pks_access_fetch:
        lea     r11, [rel .back]
        jmp     rdi
.back:  ret

; Code below lies in read-only data, since it runs as a copy only: so the image
; has one WRMSR to IA32_PKRS that can be executed, as it should.
section .rodata align=8

; What a page holds that is executed: back to R11.
global pks_fetch_target, pks_fetch_target_end
pks_fetch_target:
        jmp     r11
pks_fetch_target_end:

; uint64_t pks_key0(void *address, uint32_t closed, enum pks_access access,
;                   uint32_t open, uint64_t operand)
;
; In: RDI, ESI, EDX, ECX, R8. Out: RAX = what was read. Writes `closed` to
; IA32_PKRS, makes one access and writes `open`; from the first to the second
; no other memory is touched, since key 0 holds the stack. A refused access is
; a double fault. The soft copy is not changed. Clobbers RCX, RDX, RSI, R9 to
; R11.
global pks_key0, pks_key0_end
pks_key0:
        mov     r9d, edx
        mov     r10d, ecx
        mov     eax, esi
        xor     esi, esi
        xor     edx, edx
        mov     ecx, MSR_IA32_PKRS
        wrmsr
        cmp     r9d, PKS_WRITE
        je      .write
        cmp     r9d, PKS_MODIFY
        je      .modify
        cmp     r9d, PKS_FETCH
        je      .fetch
        mov     rsi, [rdi]
        jmp     .open
.write: mov     [rdi], r8
        jmp     .open
.modify:
        add     [rdi], r8
        jmp     .open
.fetch: lea     r11, [rel .open]
        jmp     rdi
.open:  mov     eax, r10d
        xor     edx, edx
        wrmsr
        mov     rax, rsi
        ret
pks_key0_end:
