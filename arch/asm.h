// SPDX-License-Identifier: MIT
//
// Numbers that C and assembly share. The build turns each `#define NAME value`
// line into NASM's %define, so values are plain integers without suffixes.
// Offsets into C structures are asserted where the structure is declared.
#pragma once

// Where the kernel image is linked: KERNEL_BASE + its physical address.
#define KERNEL_BASE 0xffffffff80000000

// Model-specific registers (SDM 4, table 2-2).
#define MSR_IA32_APIC_BASE 0x1b
#define MSR_IA32_PKRS 0x6e1
#define MSR_X2APIC 0x800
#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101

// IA32_PKRS with key 0 open and every other key closed (AD and WD set).
#define PKRS_CLOSED 0xfffffffc

// CR0 as the kernel has it: PE, MP, ET, NE, WP, PG (SDM 3A 2.5); and the same
// while page tables that are mapped read-only are written, with WP clear.
#define CR0_KERNEL 0x80010033
#define CR0_TABLES_OPEN 0x80000033
#define CR0_WP_BIT 16

// IA32_PKRS bits of the key of page tables: in every engine, what the word of
// rights says of them (mm/pt_window.h).
#define RIGHTS_TABLES_WD 0x20

// Between the words of rights of two nested brackets, under engines in which
// brackets open no key.
#define RIGHTS_ONE_BRACKET 0x100

#define RFLAGS_TF_BIT 8

// Selectors in the kernel's GDT.
#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10
#define SELECTOR_TSS 0x18

// struct cpu_data
#define PERCPU_BRACKET_TOP 8
#define PERCPU_HANDLER_NEXT 16
#define PERCPU_BRACKET_PKRS_WRITES 32
#define PERCPU_OTHER_PKRS_WRITES 40
#define PERCPU_NMI_LEVEL 48
#define PERCPU_WINDOW 56
#define PERCPU_FULL_FLUSHES 64
#define PERCPU_PTE_WRITES 72
#define PERCPU_INVLPG 80
#define PERCPU_CR0_WRITES 88

// struct ap, and two of its states
#define AP_APIC_ID 0
#define AP_STATE 4
#define AP_STACK 8
#define AP_SIZE 16
#define AP_AWAITED 1
#define AP_ALIVE 2

// struct bracket
#define BRACKET_RIGHTS 8
#define BRACKET_UNMAP_SITE 24
#define BRACKET_INTERRUPTED 32
#define BRACKET_MAP_SITE 16
#define BRACKET_MORE_FRAMES 20
#define BRACKET_WINDOW_ENTRY 40
#define BRACKET_WINDOW_ADDRESS 48
#define BRACKET_BACKING 56
#define BRACKET_SIZE 64
// Frames for which a slot has room of its own in a window (mm/exact.h).
#define EXACT_SLOT_FRAMES 14

// struct page
#define PAGE_DOMAIN 12

// struct local_window
#define LOCAL_WINDOW_BYTES 48

// The brackets of one handler: a sentinel, 32 slots, an end.
#define BRACKET_LEVEL_SIZE 2176

// struct trap_frame, from its lowest address
#define TRAP_FRAME_RIGHTS 8
#define TRAP_FRAME_REGISTERS 16
#define TRAP_FRAME_VECTOR 136
#define TRAP_FRAME_ERROR_CODE 144
#define TRAP_FRAME_HARDWARE 152
#define TRAP_FRAME_RFLAGS 168
#define TRAP_FRAME_RSP 176

// struct fault
#define FAULT_SIZE 48

// struct catch_frame
#define CATCH_RBX 0
#define CATCH_RBP 8
#define CATCH_R12 16
#define CATCH_R13 24
#define CATCH_R14 32
#define CATCH_R15 40
#define CATCH_RSP 48
#define CATCH_RIP 56
#define CATCH_RFLAGS 64

// Sizes of the boot CPU's stacks, bytes.
#define STACK_SIZE_BOOT 32768
#define STACK_SIZE_IDLE 8192
#define STACK_SIZE_IST 8192
#define STACK_GUARD_SIZE 4096
