// SPDX-License-Identifier: MIT
//
// CPUID, read once into a set of features.
#include "arch/cpuid.h"

#include "arch/cpu.h"
#include "lib/string.h"

enum cpuid_register { EAX, EBX, ECX, EDX };

static const struct feature {
    uint32_t leaf;
    enum cpuid_register reg;
    unsigned bit;
    const char *name;
    const char *qemu;
} features[CPU_FEATURE_COUNT] = {
    [CPU_FEATURE_NX] = {0x80000001, EDX, 20, "NX", "nx"},
    [CPU_FEATURE_PGE] = {1, EDX, 13, "PGE", "pge"},
    [CPU_FEATURE_TSC] = {1, EDX, 4, "TSC", "tsc"},
    [CPU_FEATURE_MCE] = {1, EDX, 7, "MCE", "mce"},
    [CPU_FEATURE_APIC] = {1, EDX, 9, "APIC", "apic"},
    [CPU_FEATURE_X2APIC] = {1, ECX, 21, "x2APIC", "x2apic"},
    [CPU_FEATURE_PKS] = {7, ECX, 31, "PKS", "pks"},
    [CPU_FEATURE_SMEP] = {7, EBX, 7, "SMEP", "smep"},
    [CPU_FEATURE_SMAP] = {7, EBX, 20, "SMAP", "smap"},
    [CPU_FEATURE_UMIP] = {7, ECX, 2, "UMIP", "umip"},
    [CPU_FEATURE_PAGE_1GB] = {0x80000001, EDX, 26, "1-GByte pages", "pdpe1gb"},
    [CPU_FEATURE_RDTSCP] = {0x80000001, EDX, 27, "RDTSCP", "rdtscp"},
    [CPU_FEATURE_CLFLUSHOPT] = {7, EBX, 23, "CLFLUSHOPT", "clflushopt"},
    [CPU_FEATURE_CLWB] = {7, EBX, 24, "CLWB", "clwb"},
};

static uint32_t feature_set;
static unsigned physical_bits = 36;

// Leaf `leaf`, subleaf 0; zeroes when the CPU does not have that leaf.
static void cpuid_read(uint32_t leaf, uint32_t out[4])
{
    uint32_t max, b, c, d;
    __asm__("cpuid"
            : "=a"(max), "=b"(b), "=c"(c), "=d"(d)
            : "a"(leaf & 0x80000000), "c"(0));
    out[EAX] = out[EBX] = out[ECX] = out[EDX] = 0;
    if (leaf <= max) {
        __asm__("cpuid"
                : "=a"(out[EAX]), "=b"(out[EBX]), "=c"(out[ECX]), "=d"(out[EDX])
                : "a"(leaf), "c"(0));
    }
}

bool cpu_has(enum cpu_feature feature)
{
    return feature_set >> feature & 1;
}

const char *cpu_feature_name(enum cpu_feature feature)
{
    return features[feature].name;
}

const char *cpu_feature_qemu(enum cpu_feature feature)
{
    return features[feature].qemu;
}

unsigned cpu_physical_bits(void)
{
    return physical_bits;
}

void cpu_brand_read(char brand[CPU_BRAND_SIZE])
{
    char whole[CPU_BRAND_SIZE] = {0};
    uint32_t out[4];
    for (unsigned i = 0; i < 3; i++) {
        cpuid_read(0x80000002 + i, out);
        memcpy(whole + i * sizeof(out), out, sizeof(out));
    }
    size_t from = 0;
    while (whole[from] == ' ') {
        from++;
    }
    memset(brand, 0, CPU_BRAND_SIZE);
    memcpy(brand, whole + from, CPU_BRAND_SIZE - from);
}

__init void cpu_features_init(void)
{
    uint32_t out[4];
    for (unsigned i = 0; i < CPU_FEATURE_COUNT; i++) {
        cpuid_read(features[i].leaf, out);
        if (out[features[i].reg] >> features[i].bit & 1) {
            feature_set |= 1u << i;
        }
    }
    cpuid_read(0x80000008, out);
    if (out[EAX] & 0xff) {
        physical_bits = MIN(out[EAX] & 0xff, 52u);
    }
}

__init void cpu_enable_protections(void)
{
    // Whatever firmware has set: all CPUs are to be the same.
    uint64_t cr4 = CR4_PAE;
    if (cpu_has(CPU_FEATURE_MCE)) {
        cr4 |= CR4_MCE;
    }
    if (cpu_has(CPU_FEATURE_SMEP)) {
        cr4 |= CR4_SMEP;
    }
    if (cpu_has(CPU_FEATURE_SMAP)) {
        cr4 |= CR4_SMAP;
    }
    if (cpu_has(CPU_FEATURE_UMIP)) {
        cr4 |= CR4_UMIP;
    }
    cpu_write_msr_init(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NXE);
    cpu_write_cr4(cr4);
    cpu_write_cr0(cpu_read_cr0() | CR0_WP);
}
