// SPDX-License-Identifier: MIT
//
// Boot words and CPU features against what the kernel can do.
#include "kernel/config.h"

#include "arch/acpi.h"
#include "arch/cpu.h"
#include "arch/cpuid.h"
#include "arch/power.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/engine.h"

__ro_after_init struct cmdline config;
__ro_after_init struct boot_summary boot_summary;

static __ro_after_init char loader_name[BOOT_LOADER_MAX];

static void config_note(void *context, const char *message)
{
    (void)context;
    log_line(LOG_WARN, "%s", message);
}

__init void config_init(const struct boot_info *boot)
{
    if (boot->error != NULL) {
        refuse("the loader's information cannot be used: %s", boot->error);
    }
    if (boot->cmdline_truncated) {
        refuse("the command line is longer than %d bytes; make it shorter",
               BOOT_CMDLINE_MAX - 1);
    }
    string_copy(loader_name, sizeof(loader_name), boot->loader);
    boot_summary = (struct boot_summary){
        .loader = loader_name,
        .protocol = boot->protocol,
        .efi = boot->efi,
    };
    struct phys_reader reader = boot->early;
    struct acpi_power power;
    const char *wrong = acpi_power_parse(&reader, boot, &power);
    power_init(&power);
    if (!cmdline_parse(&config, boot->cmdline, config_note, NULL)) {
        refuse("%s", config.error);
    }
    log_line(LOG_DEBUG, "boot words: %s", boot->cmdline);
    if (wrong != NULL) {
        log_line(LOG_DEBUG, "no power off by ACPI: %s", wrong);
    } else {
        log_line(LOG_DEBUG, "power off by ACPI: port 0x%x", power.pm1a_control);
    }
}

static __init void require(enum cpu_feature feature, const char *what)
{
    if (!cpu_has(feature)) {
        refuse("this CPU has no %s (%s); with QEMU use -cpu max or add +%s",
               cpu_feature_name(feature), what, cpu_feature_qemu(feature));
    }
}

// The engine that was asked for, if this CPU can do it; else, if none was asked
// for, one that every CPU can do, and why.
static __init const struct engine *engine_choose(void)
{
    bool automatic = config.protect == CMDLINE_PROTECT_AUTO;
    const struct engine *wanted = engine_of(
        automatic ? PROTECT_PKS : (enum protect_engine)config.protect);
    if (wanted->needs == NULL || cpu_has(*wanted->needs)) {
        return wanted;
    }
    if (!automatic) {
        require(*wanted->needs, wanted->needs_what);
    }
    log_line(LOG_WARN, "engine exact: this CPU has no %s (%s)",
             cpu_feature_name(*wanted->needs), wanted->needs_what);
    return engine_of(PROTECT_EXACT);
}

__init void config_check_cpu(void)
{
    if (cpu_read_cr4() & CR4_LA57) {
        refuse("the loader left 5-level paging on; start from GRUB or with "
               "qemu -kernel");
    }
    require(CPU_FEATURE_NX, "no-execute pages");
    require(CPU_FEATURE_PGE, "global pages, to flush the whole TLB");
    require(CPU_FEATURE_TSC, "a time-stamp counter");
    engine_start(engine_choose(), config.trace != TRACE_OFF);
}

const char *protect_engine_name(enum protect_engine which)
{
    return engine_of(which)->name;
}
