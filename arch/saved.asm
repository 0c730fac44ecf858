; SPDX-License-Identifier: MIT
;
; Calls of C functions that keep every register, for the unlikely ends of hot
; paths: their callers save nothing for them. Flags are clobbered; what the C
; function returns is lost.

section .text

%macro SAVED 1
extern %1
global %1_saved
%1_saved:
        push    rax
        push    rcx
        push    rdx
        push    rsi
        push    rdi
        push    r8
        push    r9
        push    r10
        push    r11
        call    %1
        pop     r11
        pop     r10
        pop     r9
        pop     r8
        pop     rdi
        pop     rsi
        pop     rdx
        pop     rcx
        pop     rax
        ret
%endmacro

; RDI: the lock.
SAVED spin_wait
; RDI: the first address; RSI: pages.
SAVED tlb_shootdown_range
; RDI: the window; RSI: the CPU that its thread has left.
SAVED local_window_arrive
; RDI: the first address; RSI: pages.
SAVED local_window_forget
