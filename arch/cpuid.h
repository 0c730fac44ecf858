// SPDX-License-Identifier: MIT
//
// What this CPU can do: features as data, asked once at boot.
#pragma once

#include "lib/types.h"

enum cpu_feature {
    CPU_FEATURE_NX,
    CPU_FEATURE_PGE,
    CPU_FEATURE_TSC,
    CPU_FEATURE_MCE,
    CPU_FEATURE_APIC,
    CPU_FEATURE_X2APIC,
    CPU_FEATURE_PKS,
    CPU_FEATURE_SMEP,
    CPU_FEATURE_SMAP,
    CPU_FEATURE_UMIP,
    CPU_FEATURE_PAGE_1GB,
    CPU_FEATURE_RDTSCP,
    CPU_FEATURE_CLFLUSHOPT,
    CPU_FEATURE_CLWB,
    CPU_FEATURE_COUNT,
};

// Whether the CPU has it. Any context, after cpu_features_init().
bool cpu_has(enum cpu_feature feature);

// Its SDM name, and the word that adds it to a QEMU CPU model.
const char *cpu_feature_name(enum cpu_feature feature);
const char *cpu_feature_qemu(enum cpu_feature feature);

// Bits of a physical address (CPUID.80000008H:EAX[7:0]).
unsigned cpu_physical_bits(void);

// The name that the CPU gives itself (CPUID.80000002H to 80000004H, SDM 2A
// CPUID), without the spaces before it; empty where it has none.
#define CPU_BRAND_SIZE 49
void cpu_brand_read(char brand[CPU_BRAND_SIZE]);

// Ask CPUID. Boot CPU, once.
void cpu_features_init(void);

// Turn on what the CPU has and the kernel wants: EFER.NXE, CR0.WP, CR4.SMEP,
// SMAP, UMIP and MCE (SDM 3A 2.5), and in CR4 nothing else. CR4.PGE is off: the
// kernel has one address space and no global pages. Each CPU, before its first
// page table of ours.
void cpu_enable_protections(void);
