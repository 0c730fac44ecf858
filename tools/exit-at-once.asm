; SPDX-License-Identifier: MIT
;
; The smallest guest that QEMU starts by its PVH note: it says "passed" to
; isa-debug-exit and is gone. What its run takes is what QEMU takes; bench-wall
; compares the kernel with it. A flat ELF: assemble with nasm -f bin.

bits 32
base    equ     0x100000
org     base

elf:    db      0x7f, "ELF", 2, 1, 1, 0         ; 64-bit, little-endian
        dq      0
        dw      2, 62                           ; executable, x86-64
        dd      1
        dq      entry, headers - base, 0
        dd      0
        dw      64, 56, 2, 0, 0, 0
headers:
        dd      1, 5                            ; PT_LOAD, read and execute
        dq      0, base, base, end - base, end - base, 4096
        dd      4, 4                            ; PT_NOTE
        dq      note - base, note, note, entry - note, entry - note, 4
note:   dd      4, 8, 18                        ; XEN_ELFNOTE_PHYS32_ENTRY
        db      "Xen", 0
        dq      entry
entry:  mov     al, 0x10
        out     0xf4, al
        jmp     entry
end:
