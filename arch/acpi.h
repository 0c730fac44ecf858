// SPDX-License-Identifier: MIT
//
// ACPI tables, found and read with suspicion through a window on physical
// memory: no I/O, no state. Runs on the host too. Only what can be read without
// an AML interpreter.
#pragma once

#include "arch/percpu.h"
#include "lib/boot_info.h"

// The header that every table but the FACS starts with (ACPI 6.5, 5.2.6).
struct acpi_header {
    char signature[4];
    uint32_t length; // of the whole table
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} __packed;

// A longer table is taken for garbage.
#define ACPI_TABLE_MAX MIB(16)

// Is there a table of this signature at `phys`, of a possible length and with
// a right checksum? If so its whole length in bytes goes to *length.
bool acpi_table_verify(struct phys_reader *reader, uint64_t phys,
                       const char signature[4], uint32_t *length);

// Find the first sound table of this signature in the XSDT, or in the RSDT
// where there is no sound XSDT. True: its address and its length, in bytes.
bool acpi_find_table(struct phys_reader *reader, const struct boot_info *boot,
                     const char signature[4], uint64_t *phys, uint32_t *length);

// Is there a table of this signature at all, sound or not?
bool acpi_table_listed(struct phys_reader *reader, const struct boot_info *boot,
                       const char signature[4]);

// Address spaces of a generic address (ACPI 6.5, 5.2.3.2); others we cannot
// use.
enum acpi_space {
    ACPI_SPACE_MEMORY = 0,
    ACPI_SPACE_IO = 1,
};

// How to end it all. Sleeping is writing (type << 10 | BIT(13)) to the control
// ports (ACPI 6.5, 4.8.3.2.1); resetting is writing one byte (4.8.3.6).
struct acpi_power {
    bool can_power_off;    // the next four are valid
    uint16_t pm1a_control; // I/O port
    uint16_t pm1b_control; // I/O port; 0: there is none
    uint8_t sleep_type_a;  // of S5, 0 to 7
    uint8_t sleep_type_b;
    bool can_reset; // the next three are valid
    enum acpi_space reset_space;
    uint64_t reset_address; // I/O port or physical address
    uint8_t reset_value;
};

// Fill `out` from the FADT, and from the \_S5_ package of the DSDT. Returns
// NULL, or a message that says what is wrong; `out` is valid in any case and
// says what can be done all the same.
const char *acpi_power_parse(struct phys_reader *reader,
                             const struct boot_info *boot,
                             struct acpi_power *out);

// The processors that firmware has enabled.
struct acpi_cpus {
    unsigned count;      // of apic_id, each different
    unsigned beyond;     // entries for which apic_id has no room
    uint64_t local_apic; // physical address of the APICs' registers
    uint32_t apic_id[CPUS_MAX];
};

// Fill `out` from the MADT, in its order. Returns NULL, or a message that says
// what is wrong with the table; `out` is empty then. It may leave out the CPU
// that runs this, and the address is the table's word only.
const char *acpi_cpus_parse(struct phys_reader *reader,
                            const struct boot_info *boot,
                            struct acpi_cpus *out);

// What an NVDIMM says of itself (ACPI 6.5, 5.2.26.3).
enum acpi_pmem_state {
    ACPI_PMEM_SAVE_FAILED = BIT(0),
    ACPI_PMEM_RESTORE_FAILED = BIT(1),
    ACPI_PMEM_FLUSH_FAILED = BIT(2),
    ACPI_PMEM_NOT_ARMED = BIT(3), // what is written now will not last
    ACPI_PMEM_MAP_FAILED = BIT(6),
    ACPI_PMEM_TROUBLE = ACPI_PMEM_SAVE_FAILED | ACPI_PMEM_RESTORE_FAILED |
                        ACPI_PMEM_FLUSH_FAILED | ACPI_PMEM_NOT_ARMED |
                        ACPI_PMEM_MAP_FAILED,
};

// A range of persistent memory. Where several modules share it, handle and
// identity are those of the module that the table lists first.
struct acpi_pmem_range {
    uint64_t base;       // physical, multiple of 4096
    uint64_t length;     // bytes, multiple of 4096, not 0
    uint64_t attributes; // EFI_MEMORY_*
    uint32_t handle;     // of the NVDIMM; 0: the table names none
    uint32_t serial;     // the next three are 0 where there is no identity
    uint16_t vendor;
    uint16_t device;
    uint16_t spa;     // number of the range, from 1
    uint16_t control; // number of its first module's control region, or 0
    uint16_t state;   // enum acpi_pmem_state, of all its modules
    uint16_t modules; // that the table maps here
    bool interleaved; // several modules take turns
    bool identified;  // vendor, device and serial are valid
};

#define ACPI_PMEM_MAX 16

struct acpi_pmem {
    bool listed;          // there is an NFIT
    bool caches_durable;  // a power cut writes back the CPUs' caches, too
    bool memory_durable;  // it writes back what the memory controller has
    bool memory_lost;     // it does not; if neither is set, nobody knows
    unsigned flush_hints; // addresses to write to, of all modules; not used
    unsigned count;
    unsigned beyond;  // ranges for which there is no room
    const char *note; // NULL, or what people should know of a sound table
    struct acpi_pmem_range range[ACPI_PMEM_MAX];
};

// Fill `out` from the NFIT, in its order: ranges that are disjoint, of whole
// frames, and below the end of physical addresses. Returns NULL, or a message
// that says what is wrong with the table; `out` is empty then. No NFIT is not
// an error. That the ranges are not RAM is the table's word only.
const char *acpi_pmem_parse(struct phys_reader *reader,
                            const struct boot_info *boot,
                            struct acpi_pmem *out);
