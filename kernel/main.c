// SPDX-License-Identifier: MIT
//
// kmain(): the table of contents. Each line brings up one part; what comes
// after it may rely on it.
#include "kernel/main.h"

#include "arch/cpuid.h"
#include "arch/percpu.h"
#include "arch/trap.h"
#include "kernel/config.h"
#include "kernel/console.h"
#include "kernel/cpus.h"
#include "kernel/interrupt.h"
#include "kernel/run.h"
#include "kernel/thread.h"
#include "kernel/watchdog.h"
#include "mm/bracket.h"
#include "mm/context.h"
#include "mm/engine.h"
#include "mm/image.h"
#include "mm/memory.h"
#include "mm/trace.h"

void kmain(const struct boot_info *boot)
{
    percpu_init(0, NULL);         // this CPU's data
    mm_context_init_boot();       // the boot thread's stack of brackets
    handler_brackets_init_boot(); // and its handlers'
    console_init();               // COM1: from here on we can speak
    trap_init();                  // a fault is a report, not a reset
    config_init(boot);            // boot command line, ACPI power
    cpus_find(boot);              // ACPI: which processors are there?
    cpu_features_init();          // what can this CPU do?
    config_check_cpu();           // stop here if it cannot do what was asked
    cpu_enable_protections();     // WP, NX, SMEP, SMAP, UMIP
    memory_map_build(boot); // page tables of our own; direct map with keys
    engine->init_cpu();     // what is closed is closed: with PKS, by IA32_PKRS
    trap_use(engine->trap_entry); // every handler starts with all closed
    memory_init(boot);            // frame table, frame allocator, domains
    interrupt_init();             // local APIC, nothing of the 8259s
    threads_init();               // this is the boot thread
    watchdog_init();              // who will see that nothing goes on
    cpus_start();                 // the other CPUs, as far as they come
    trace_init();                 // room for the history of brackets
    image_seal();                 // init code is gone, constants are constant
    interrupts_enable();          // from here on they may come
    run();                        // tests, benchmarks, application or shell
}
