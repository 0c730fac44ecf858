; SPDX-License-Identifier: MIT
;
; The hot paths of the engine `exact`: what map and unmap call (keyhole.h), and
; the ends of every trap. CR0.WP is what stands before page tables.

%include "arch/asm.inc"
%include "arch/trap.inc"

extern trap_handle, bracket_map_cold, return_in_nmi

section .rodata

; What to add to the address of a frame in the direct map to get a leaf for it:
; by what a map call keeps of the rights, 4 to write and 8 to read (P, RW, A, D,
; XD, less DIRECT_MAP_BASE).
align 8
leaves:
        dq      0
        dq      0x8000800000000063
        dq      0x8000800000000021

section .text

%macro TABLES_OPEN 0
        add     qword [gs:PERCPU_CR0_WRITES], 2 ; TABLES_CLOSE counted too
        mov     eax, CR0_TABLES_OPEN
        mov     cr0, rax
%endmacro

%macro TABLES_CLOSE 0
        mov     eax, CR0_KERNEL
        mov     cr0, rax
%endmacro

; One word less for each bracket that is open: an unmap sees that there is
; something to do.
%macro RIGHTS_OF_SLOT 0
        mov     eax, [rsi - BRACKET_SIZE + BRACKET_RIGHTS]
        sub     eax, RIGHTS_ONE_BRACKET
%endmacro

; A map of one frame. In: RSI = the slot, raised; RDI = the frame's address in
; the direct map; EAX = what is kept of the rights. Out: RDI = address for the
; caller, EAX = rights of the slot. Clobbers RCX, RDX, flags.
global exact_map
exact_map:
        mov     rdx, [rsi + BRACKET_WINDOW_ENTRY]
        mov     rcx, rdi
        mov     [rsi + BRACKET_BACKING], rdi
        add     rcx, [leaves + rax * 2]
        TABLES_OPEN
        mov     [rdx], rcx
        TABLES_CLOSE
        inc     qword [gs:PERCPU_PTE_WRITES]
        mov     rdi, [rsi + BRACKET_WINDOW_ADDRESS]
        mov     [rsi], rdi
        RIGHTS_OF_SLOT
        ret

; The same for a range; RDI has the offset in its first frame too.
global exact_map_range
exact_map_range:
        mov     edx, [rsi + BRACKET_MORE_FRAMES]
        cmp     edx, EXACT_SLOT_FRAMES
        jae     .large
        mov     ecx, edi
        mov     [rsi + BRACKET_BACKING], rdi
        and     ecx, 0xfff
        sub     rdi, rcx
        add     rcx, [rsi + BRACKET_WINDOW_ADDRESS]
        add     rdi, [leaves + rax * 2]
        mov     [rsi], rcx
        mov     rcx, [rsi + BRACKET_WINDOW_ENTRY]
        add     [gs:PERCPU_PTE_WRITES], rdx
        inc     qword [gs:PERCPU_PTE_WRITES]
        TABLES_OPEN
        imul    rax, rdx, -11                   ; bytes of a step
        shl     edx, 12
        add     rdi, rdx                        ; the last frame's leaf
        add     rax, .last
        jmp     rax
%assign i EXACT_SLOT_FRAMES - 1
%rep EXACT_SLOT_FRAMES - 1
.step %+ i:
        mov     [byte rcx + i * 8], rdi
        sub     rdi, 4096
  %assign i i - 1
%endrep
.last:  mov     [rcx], rdi
        times -(.last - .step1 != 11) nop       ; an error if they are not 11
        TABLES_CLOSE
        mov     rdi, [rsi]
        RIGHTS_OF_SLOT
        ret

; More than a slot has room for: through the window for scattered frames.
.large: mov     ecx, [rsi + BRACKET_MAP_SITE]
        shl     eax, 29                         ; 4 becomes the bit, 8 is lost
        or      ecx, eax
        mov     rax, rsi
        mov     rdx, rdi
        call    bracket_map_cold
        mov     rdi, rdx
        ret

; An unmap. In: RSI = where the next bracket goes, RDI = the address. Clobbers
; RAX, RCX, RDX, RDI, flags.
global exact_unmap
exact_unmap:
        mov     ecx, [rsi - BRACKET_SIZE + BRACKET_MORE_FRAMES]
        mov     rdx, [rsi - BRACKET_SIZE + BRACKET_WINDOW_ENTRY]
        TABLES_OPEN
        test    ecx, ecx
        jnz     .more
        mov     qword [rdx], 0
        TABLES_CLOSE
        invlpg  [rdi]
        inc     qword [gs:PERCPU_PTE_WRITES]
        inc     qword [gs:PERCPU_INVLPG]
        ret
.more:  lea     eax, [rcx + 1]
        add     [gs:PERCPU_PTE_WRITES], rax
        add     [gs:PERCPU_INVLPG], rax
        imul    rax, rcx, -15                   ; bytes of a step
        add     rax, .last
        jmp     rax
%assign i EXACT_SLOT_FRAMES - 1
%rep EXACT_SLOT_FRAMES - 1
.step %+ i:
        mov     qword [byte rdx + i * 8], 0
        invlpg  [dword rdi + i * 4096]
  %assign i i - 1
%endrep
.last:  mov     qword [rdx], 0
        times -(.last - .step1 != 15) nop       ; an error if they are not 15
        TABLES_CLOSE
        invlpg  [rdi]
        ret

; The ends of a trap. In the frame, `rights` is CR0, and bit 32 whether this
; entry hides the interrupted context's window: before the handler's brackets
; begin, and until they are gone. What the CPU remembers of the window is
; forgotten in any case: an NMI may come before an interrupted entry has done
; that. The sentinel of each level of handlers knows the link of the context that
; it interrupts (`backing`), and the handler's own window (`window_address`).
%define FRAME_HIDDEN 4

global trap_entry_exact
trap_entry_exact:
        PUSH_REGISTERS
        mov     rbx, [gs:PERCPU_BRACKET_TOP]
        mov     rax, cr0
        push    rax
        cmp     eax, CR0_KERNEL
        je      .closed
        TABLES_CLOSE
        inc     qword [gs:PERCPU_CR0_WRITES]
.closed:
        cmp     qword [rbx - BRACKET_SIZE + BRACKET_WINDOW_ENTRY], 0
        jne     .hide
        cmp     dword [rbx - BRACKET_SIZE + BRACKET_RIGHTS], PKRS_CLOSED
        je      .hidden
.hide:  mov     rdx, [gs:PERCPU_HANDLER_NEXT]
        mov     rdx, [rdx + BRACKET_BACKING]
        test    byte [rdx], 1
        jz      .forget
        mov     byte [rsp + FRAME_HIDDEN], 1
        TABLES_OPEN
        and     qword [rdx], -2
        TABLES_CLOSE
        inc     qword [gs:PERCPU_PTE_WRITES]
.forget:
        mov     rax, cr3
        mov     cr3, rax
        inc     qword [gs:PERCPU_FULL_FLUSHES]
.hidden:
        PUSH_BRACKETS                           ; RAX = the first slot
        push    qword [gs:PERCPU_WINDOW]
        mov     rax, [rax - BRACKET_SIZE + BRACKET_WINDOW_ADDRESS]
        mov     [gs:PERCPU_WINDOW], rax
        lea     rdi, [rsp + 8]
        call    trap_handle
        pop     qword [gs:PERCPU_WINDOW]
        pop     qword [gs:PERCPU_BRACKET_TOP]
        sub     qword [gs:PERCPU_HANDLER_NEXT], BRACKET_LEVEL_SIZE
        cmp     byte [rsp + FRAME_HIDDEN], 0
        je      .shown
        mov     rdx, [gs:PERCPU_HANDLER_NEXT]
        mov     rdx, [rdx + BRACKET_BACKING]
        TABLES_OPEN
        or      qword [rdx], 1
        TABLES_CLOSE
        inc     qword [gs:PERCPU_PTE_WRITES]
.shown: mov     rcx, cr0
        pop     rax
        cmp     eax, ecx
        je      .same
        mov     eax, eax
        mov     cr0, rax
        inc     qword [gs:PERCPU_CR0_WRITES]
.same:  POP_REGISTERS_AND_RETURN
