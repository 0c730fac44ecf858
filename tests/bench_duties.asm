; SPDX-License-Identifier: MIT
;
; The least that a bracket on one frame must do to keep the contract, written by
; hand, as calls: what an engine by keys may be compared with. What is
; not needed for that is left out: ages, other engines, abandoned calls.

%include "arch/asm.inc"

extern domain_write_, pks_write_msr

section .text

; void *duties_map(struct page *page)
;
; In: RDI. Out: RAX. Clobbers RCX, RDX, RDI, flags. The frame's domain has a key.
global duties_map
duties_map:
        mov     rdx, [gs:PERCPU_BRACKET_TOP]
        inc     qword [rdx + BRACKET_INTERRUPTED] ; counts: brackets, nested
        js      .misuse                         ; too many
        mov     dword [rdx + BRACKET_MAP_SITE], duties_map - KERNEL_BASE
        movzx   ecx, word [rdi + PAGE_DOMAIN]
        shl     rdi, 8
        mov     [rdx], rdi
        add     qword [gs:PERCPU_BRACKET_TOP], BRACKET_SIZE
        mov     eax, [rdx - BRACKET_SIZE + BRACKET_RIGHTS]
        test    eax, [domain_write_ + rcx * 8]
        jz      .open                           ; nothing to write
        and     eax, [domain_write_ + 4 + rcx * 8]
        jz      .misuse                         ; a frame that is nobody's
        mov     [rdx + BRACKET_RIGHTS], eax
        inc     qword [gs:PERCPU_BRACKET_PKRS_WRITES]
        call    pks_write_msr
        mov     rax, rdi
        ret
.open:  mov     [rdx + BRACKET_RIGHTS], eax
        mov     rax, rdi
        ret
.misuse:
        ud2

; void duties_unmap(void *address)
;
; In: RDI. Clobbers RAX, RCX, RDX, flags.
global duties_unmap
duties_unmap:
        mov     rdx, [gs:PERCPU_BRACKET_TOP]
        cmp     [rdx - BRACKET_SIZE], rdi
        jne     .misuse                         ; out of order, twice, never
        mov     dword [rdx - BRACKET_SIZE + BRACKET_UNMAP_SITE], duties_unmap - KERNEL_BASE
        mov     eax, [rdx - 2 * BRACKET_SIZE + BRACKET_RIGHTS]
        cmp     eax, [rdx - BRACKET_SIZE + BRACKET_RIGHTS]
        je      .open
        inc     qword [gs:PERCPU_BRACKET_PKRS_WRITES]
        call    pks_write_msr
.open:  add     qword [gs:PERCPU_BRACKET_TOP], -BRACKET_SIZE
        ret
.misuse:
        ud2

; void *duties_nothing(void *)
;
; What two calls cost that do nothing. Out: RAX = RDI.
global duties_nothing
duties_nothing:
        mov     rax, rdi
        ret
