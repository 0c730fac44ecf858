// SPDX-License-Identifier: MIT
//
// Control-register, EFER and flag bits by their SDM names (SDM 3A 2.5, 2.2.1).
#pragma once

#include "arch/asm.h"
#include "lib/types.h"

#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_PGE BIT(7)
#define CR4_UMIP BIT(11)
#define CR4_LA57 BIT(12)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define CR4_PKE BIT(22)
#define CR4_PKS BIT(24)

#define EFER_NXE BIT(11)

#define RFLAGS_TF BIT(RFLAGS_TF_BIT)
#define RFLAGS_IF BIT(9)
#define RFLAGS_AC BIT(18)

// #PF error code (SDM 3A 4.7).
#define PF_PRESENT BIT(0)
#define PF_WRITE BIT(1)
#define PF_USER BIT(2)
#define PF_RESERVED BIT(3)
#define PF_FETCH BIT(4)
#define PF_PKEY BIT(5)

// Exception vectors (SDM 3A table 6-1).
enum trap_vector {
    TRAP_DE = 0,
    TRAP_DB = 1,
    TRAP_NMI = 2,
    TRAP_BP = 3,
    TRAP_UD = 6,
    TRAP_DF = 8,
    TRAP_TS = 10,
    TRAP_NP = 11,
    TRAP_SS = 12,
    TRAP_GP = 13,
    TRAP_PF = 14,
    TRAP_MC = 18,
};
