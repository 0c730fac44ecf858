// SPDX-License-Identifier: MIT
//
// Reads everybody's state, owns none.
#include "kernel/info.h"

#include "arch/pks.h"
#include "arch/pte.h"
#include "kernel/config.h"
#include "kernel/wrap.h"
#include "keyhole.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/frame_cache.h"
#include "mm/frames.h"
#include "mm/image.h"
#include "mm/keys.h"
#include "mm/layout.h"
#include "mm/memory.h"
#include "mm/pmem.h"
#include "mm/tables.h"

#define DOMAINS_SHOWN 16

// Room for a size as people read it.
#define SIZE_TEXT 24

static const char *size_text(char text[SIZE_TEXT], uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;
    uint64_t rest = 0;
    while (unit + 1 < ARRAY_SIZE(units) && bytes >= 1024) {
        rest = bytes % 1024;
        bytes /= 1024;
        unit++;
    }
    unsigned tenths = (unsigned)(rest * 10 / 1024);
    if (tenths != 0) {
        snprintf(text, SIZE_TEXT, "%llu.%u %s", (unsigned long long)bytes,
                 tenths, units[unit]);
    } else {
        snprintf(text, SIZE_TEXT, "%llu %s", (unsigned long long)bytes,
                 units[unit]);
    }
    return text;
}

void info_size_print(uint64_t bytes)
{
    char text[SIZE_TEXT];
    printf("%s", size_text(text, bytes));
}

// -------------------------------------------------------------------- Banner

static void print_engine(void)
{
    printf("  engine       %s: %s\n", engine->name, engine->how);
}

static void print_keys_in_use(void)
{
    if (!engine->counts_pkrs) {
        printf("  keys         none\n");
        return;
    }
    printf("  keys         ");
    struct wrap wrap = {15, 15};
    const char *name = NULL;
    unsigned number = 0;
    for (unsigned key = 0; key <= PKS_KEYS; key++) {
        const char *next = key < PKS_KEYS ? key_name(key) : NULL;
        if (name != NULL && (next != NULL || key == PKS_KEYS)) {
            char text[64];
            snprintf(text, sizeof(text), "%u %s%c", number, name,
                     next != NULL ? ',' : ';');
            wrap_word(&wrap, text);
        }
        if (next != NULL) {
            name = next;
            number = key;
        }
    }
    wrap_word(&wrap, "only 0 is open");
    printf("\n");
}

static void print_direct_map(void)
{
    static const char *const sizes[] = {"", "4 KiB", "2 MiB", "1 GiB"};
    uint64_t bytes[PT_LEVELS + 1];
    char text[64];
    memory_leaf_bytes(bytes);
    uint64_t left = bytes[1] + bytes[2] + bytes[3];
    snprintf(text, sizeof(text), "at 0x%llx, leaves:%s",
             (unsigned long long)DIRECT_MAP_BASE, left == 0 ? " none" : "");
    printf("  direct map   ");
    struct wrap wrap = {15, 15};
    wrap_word(&wrap, text);
    for (unsigned level = 3; level >= 1; level--) {
        left -= bytes[level];
        if (bytes[level] != 0) {
            snprintf(text, sizeof(text), "%llu of %s%s",
                     (unsigned long long)(bytes[level] / PT_LEVEL_SIZE(level)),
                     sizes[level], left != 0 ? "," : "");
            wrap_word(&wrap, text);
        }
    }
    printf("\n");
}

static void print_image(void)
{
    printf("  image        0x%llx to 0x%llx: ",
           (unsigned long long)((uintptr_t)__image_start - KERNEL_BASE),
           (unsigned long long)((uintptr_t)__image_end - KERNEL_BASE));
    info_size_print(__text_end - __text_start);
    printf(" code, ");
    info_size_print(__rodata_end - __rodata_start);
    printf(" constants\n");
}

static void print_loader(void)
{
    if (boot_summary.protocol == BOOT_PROTOCOL_PVH) {
        printf("  loader       none: started directly (PVH)\n");
    } else {
        printf("  loader       %s, by multiboot2, on %s\n", boot_summary.loader,
               boot_summary.efi ? "UEFI" : "BIOS");
    }
}

// Whose a region is, by who told of it.
static void print_identity(struct wrap *wrap, const struct pmem_region *region)
{
    char text[64];
    if (!region->from_nfit) {
        wrap_word(wrap, "by the memory map,");
        return;
    }
    if (region->handle == 0) {
        wrap_word(wrap, "by the NFIT,");
    } else {
        snprintf(text, sizeof(text), "NVDIMM 0x%x,", region->handle);
        wrap_word(wrap, text);
    }
    if (region->identified) {
        snprintf(text, sizeof(text), "vendor 0x%04x, device 0x%04x,",
                 region->vendor, region->device);
        wrap_word(wrap, text);
        snprintf(text, sizeof(text), "serial 0x%x,", region->serial);
        wrap_word(wrap, text);
    }
}

static void print_region(const struct pmem_region *region)
{
    char text[64], size[SIZE_TEXT];
    uint64_t lost = region->reported_length - region->length;
    struct wrap wrap = {15, 15};
    printf("  persistent   ");
    snprintf(text, sizeof(text), "%s: %s at 0x%llx,",
             domain_name(region->domain), size_text(size, region->length),
             (unsigned long long)region->base);
    wrap_word(&wrap, text);
    snprintf(text, sizeof(text), "aligned to %s,",
             size_text(size, region->alignment));
    wrap_word(&wrap, text);
    if (lost != 0) {
        snprintf(text, sizeof(text), "less %s at its ends,",
                 size_text(size, lost));
        wrap_word(&wrap, text);
    }
    print_identity(&wrap, region);
    snprintf(text, sizeof(text), "flushed by %s", pmem_flush_name());
    wrap_word(&wrap, text);
    printf("\n");
}

static void print_persistent(void)
{
    for (unsigned i = 0; i < pmem_regions(); i++) {
        print_region(pmem_region(i));
    }
}

void info_print(void)
{
    print_engine();
    print_keys_in_use();
    printf("  memory       ");
    info_size_print(frames_total_bytes());
    printf(", free: ");
    info_size_print(frames_free_bytes());
    printf("\n");
    print_persistent();
    print_direct_map();
    printf("  page tables  ");
    info_size_print(tables_used() * PAGE_SIZE);
    printf(", ");
    info_size_print(tables_total() * PAGE_SIZE);
    printf(" set aside\n");
    print_image();
    print_loader();
}

void info_counters_print(void)
{
    struct map_stats stats;
    map_stats_read(&stats);
    printf("  brackets     %llu, of them nested: %llu\n",
           (unsigned long long)stats.brackets,
           (unsigned long long)stats.nested);
    printf("  PKRS         %llu writes, %llu that were not needed\n",
           (unsigned long long)stats.pkrs_writes,
           (unsigned long long)stats.pkrs_writes_skipped);
    printf("  page tables  %llu entries written, %llu INVLPG, %llu flushes\n",
           (unsigned long long)stats.pte_writes,
           (unsigned long long)stats.invlpg,
           (unsigned long long)stats.full_flushes);
    printf("  faults       %llu\n", (unsigned long long)stats.faults);
}

// ---------------------------------------------------------- Memory and keys

void info_memory_print(void)
{
    printf("  RAM          ");
    info_size_print(frames_total_bytes());
    printf("\n  free         ");
    info_size_print(frames_free_bytes());
    printf("\n");
    print_persistent();
    print_direct_map();
    printf("  page tables  ");
    info_size_print(tables_used() * PAGE_SIZE);
    printf("\n  frames  key  domain\n");
    unsigned shown = 0, hidden = 0;
    for (struct domain *d = domain_next(DOMAIN_NONE); d != NULL;
         d = domain_next(d->id)) {
        if (shown == DOMAINS_SHOWN) {
            hidden++;
            continue;
        }
        shown++;
        char key[4] = "-"; // parked
        if (d->key != 0) {
            snprintf(key, sizeof(key), "%u", d->key);
        }
        printf("  %6u  %3s  %s\n", domain_frames(d), key, d->name);
    }
    if (hidden != 0) {
        printf("  and %u domains more\n", hidden);
    }
}

void info_keys_print(void)
{
    static const char *const own[KEY_DOMAINS] = {
        [KEY_KERNEL] = "kernel: image, stacks, descriptor and frame tables",
        [KEY_CLOSED] = "closed: free frames, and aliases of the kernel's own",
        [KEY_TABLES] = "tables: page tables",
        [KEY_WINDOW] = "window: frames of domains without a key, while open",
    };
    if (!engine->counts_pkrs) {
        printf("  the engine %s uses no keys\n", engine->name);
        return;
    }
    uint32_t rights = pks_rights();
    printf("  key  now     whose\n");
    for (unsigned key = 0; key < PKS_KEYS; key++) {
        const char *now = rights & PKRS_AD(key)   ? "closed"
                          : rights & PKRS_WD(key) ? "read"
                                                  : "open";
        printf("  %3u  %-6s  ", key, now);
        if (key < KEY_DOMAINS) {
            printf("%s", own[key]);
        } else {
            printf("%s", key_name(key) != NULL ? key_name(key) : "-");
        }
        printf("\n");
    }
    printf("  IA32_PKRS is 0x%08x\n", rights);
}
