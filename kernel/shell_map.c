// SPDX-License-Identifier: MIT
//
// The shell's command that draws who has which physical memory, from the frame
// table. It takes no lock: what changes meanwhile may be drawn as it was, or as
// it is.
#include "kernel/info.h"
#include "kernel/shell_internal.h"
#include "keyhole.h"
#include "lib/number.h"
#include "lib/string.h"
#include "mm/domain.h"
#include "mm/frames.h"
#include "mm/image.h"
#include "mm/layout.h"
#include "mm/section.h"

#define ROW 64
#define ROWS_MAX 16
#define ZOOM MIB(2)      // around one address
#define LETTERS 26       // the last is for all other domains
#define SHARE_DOMAINS 16 // told apart in one share

// What a frame may be beside a domain's; its character in the strip.
enum kind { FREE, TABLES, IMAGE, KERNEL, RESERVED, NO_RAM, DOMAINS, KINDS };

static const struct {
    char mark;
    const char *name;
} kinds[DOMAINS] = {
    [FREE] = {'.', "free"},
    [TABLES] = {'=', "page tables"},
    [IMAGE] = {'#', "kernel image"},
    [KERNEL] = {'+', "the kernel's own: frame table, heap, stacks"},
    [RESERVED] = {'-', "reserved: firmware's, or for starting CPUs"},
    [NO_RAM] = {'_', "no RAM"},
};

// One character.
struct share {
    uint64_t frames[KINDS];
    struct {
        unsigned id;
        uint64_t frames;
    } domain[SHARE_DOMAINS];
};

// All of a strip.
struct strip {
    phys_addr_t base, end;
    uint64_t share_size;
    uint64_t frames[KINDS];
    uint64_t of_letter[LETTERS];
    unsigned id_of[LETTERS]; // DOMAIN_NONE: nobody's
};

// ------------------------------------------------------------------- A frame

// Whether a frame that says nothing of itself is inside a free block.
static bool is_inside_free(uint64_t frame)
{
    for (unsigned order = 1; order < FRAME_ORDERS; order++) {
        uint64_t head = ALIGN_DOWN(frame, BIT(order));
        if (!section_is_ready(head * PAGE_SIZE)) {
            return false;
        }
        const struct page *page = frame_page(head);
        if ((page->private_state & (FRAME_HEAD | FRAME_FREE)) ==
                (FRAME_HEAD | FRAME_FREE) &&
            page->private_order >= order) {
            return true;
        }
    }
    return false;
}

static enum kind kind_of_kernel(uint64_t frame)
{
    uintptr_t address = KERNEL_BASE + frame * PAGE_SIZE;
    return address >= (uintptr_t)__image_start &&
                   address < (uintptr_t)__image_end
               ? IMAGE
               : KERNEL;
}

// What a frame of a section that is set up is, and for how many frames from
// there on that holds at least.
static enum kind frame_kind(uint64_t frame, uint64_t *run)
{
    *run = 1;
    if (!section_is_ready(frame * PAGE_SIZE)) {
        return NO_RAM;
    }
    uint32_t owner = page_owner(frame_page(frame));
    unsigned state = owner >> 24;
    if (state & FRAME_HEAD) {
        *run = BIT(owner >> 16 & 0xff);
    }
    return state & FRAME_ALLOCATED ? DOMAINS
           : state & FRAME_TABLE   ? TABLES
           : state & FRAME_KERNEL  ? kind_of_kernel(frame)
           : state & FRAME_FREE    ? FREE
           : is_inside_free(frame) ? FREE
                                   : RESERVED;
}

// ------------------------------------------------------------------- A share

static void domain_count(struct share *share, unsigned id, uint64_t frames)
{
    for (unsigned i = 0; i < SHARE_DOMAINS; i++) {
        if (share->domain[i].frames == 0 || share->domain[i].id == id) {
            share->domain[i].id = id;
            share->domain[i].frames += frames;
            return;
        }
    }
}

// Frames of one section. Memory that was never used has no frame table yet.
static void section_count(struct share *share, uint64_t frame, uint64_t end)
{
    if (!section_is_set_up(frame * PAGE_SIZE)) {
        uint64_t size = (end - frame) * PAGE_SIZE;
        uint64_t ram = sections_memory_in(frame * PAGE_SIZE, size) / PAGE_SIZE;
        share->frames[FREE] += ram;
        share->frames[NO_RAM] += end - frame - ram;
        return;
    }
    while (frame < end) {
        uint64_t run;
        enum kind kind = frame_kind(frame, &run);
        run = MIN(run, end - frame);
        share->frames[kind] += run;
        if (kind == DOMAINS) {
            domain_count(share, frame_page(frame)->private_domain, run);
        }
        frame += run;
    }
}

static void share_count(struct share *share, uint64_t frame, uint64_t end)
{
    const uint64_t section = SECTION_SIZE / PAGE_SIZE;
    *share = (struct share){0};
    while (frame < end) {
        uint64_t next = MIN(ALIGN_DOWN(frame, section) + section, end);
        section_count(share, frame, next);
        frame = next;
    }
}

// ------------------------------------------------------------------ The strip

// Letters go by the domains' numbers, so that they stay the same.
static void letters_init(struct strip *strip)
{
    unsigned letter = 0;
    for (struct domain *d = domain_next(DOMAIN_NONE);
         d != NULL && letter < LETTERS - 1; d = domain_next(d->id)) {
        strip->id_of[letter++] = d->id;
    }
}

static unsigned letter_of(const struct strip *strip, unsigned id)
{
    unsigned letter = 0;
    while (letter < LETTERS - 1 && strip->id_of[letter] != id) {
        letter++;
    }
    return letter;
}

static char share_mark(struct strip *strip, const struct share *share)
{
    uint64_t most = 0, all = 0;
    unsigned letter = 0;
    enum kind kind = FREE;
    for (unsigned i = 0; i < KINDS; i++) {
        strip->frames[i] += share->frames[i];
        all += share->frames[i];
        // What is not free is seen, however little it is.
        if (i != FREE && i != NO_RAM && i != DOMAINS &&
            share->frames[i] > (kind == FREE ? 0 : share->frames[kind])) {
            kind = i;
        }
    }
    for (unsigned i = 0; i < SHARE_DOMAINS; i++) {
        unsigned of = letter_of(strip, share->domain[i].id);
        strip->of_letter[of] += share->domain[i].frames;
        if (share->domain[i].frames > most) {
            most = share->domain[i].frames;
            letter = of;
        }
    }
    if (most != 0) {
        return (most == all ? 'a' : 'A') + letter;
    }
    return kinds[share->frames[NO_RAM] == all ? NO_RAM : kind].mark;
}

static void legend_print(const struct strip *strip)
{
    for (unsigned i = 0; i < LETTERS; i++) {
        const struct domain *domain = domain_of_id(strip->id_of[i]);
        if (strip->of_letter[i] != 0) {
            printf("  %c %10llu  %s\n", 'a' + i,
                   (unsigned long long)strip->of_letter[i],
                   i < LETTERS - 1 ? domain->name : "(further domains)");
        }
    }
    for (unsigned i = 0; i < DOMAINS; i++) {
        if (strip->frames[i] != 0) {
            printf("  %c %10llu  %s\n", kinds[i].mark,
                   (unsigned long long)strip->frames[i], kinds[i].name);
        }
    }
}

// [base, end), in as large shares as it takes to fit.
static void strip_print(phys_addr_t base, phys_addr_t end)
{
    struct strip strip = {.share_size = PAGE_SIZE};
    while ((end - base + strip.share_size - 1) / strip.share_size >
           ROW * ROWS_MAX) {
        strip.share_size *= 2;
    }
    base = ALIGN_DOWN(base, strip.share_size);
    letters_init(&strip);
    printf("  a character: ");
    info_size_print(strip.share_size);
    printf("; a capital letter: not all of that is the domain's\n");
    for (unsigned column = 0; base < end; column = (column + 1) % ROW) {
        struct share share;
        if (column == 0) {
            printf("  %11llx  ", (unsigned long long)base);
        }
        phys_addr_t next = MIN(base + strip.share_size, end);
        share_count(&share, base / PAGE_SIZE, next / PAGE_SIZE);
        printf("%c%s", share_mark(&strip, &share),
               column == ROW - 1 || next == end ? "\n" : "");
        base = next;
    }
    printf("  %c %10s  %s\n", ' ', "frames", "whose");
    legend_print(&strip);
}

// ---------------------------------------------------------------- The command

static void frame_print(phys_addr_t address)
{
    uint64_t frame = address / PAGE_SIZE, run;
    if (!section_is_set_up(address)) {
        printf("  0x%llx: never used\n", (unsigned long long)address);
        return;
    }
    enum kind kind = frame_kind(frame, &run);
    const struct page *page = frame_page(frame);
    printf("  0x%llx: ", (unsigned long long)address);
    if (kind == DOMAINS) {
        printf("domain %s, in a block of order %u\n",
               domain_of_id(page->private_domain)->name, page->private_order);
    } else {
        printf("%s\n", kinds[kind].name);
    }
}

// "A-B". False: it is not that, and that was said.
static bool range_parse(const char *text, phys_addr_t *base, phys_addr_t *end)
{
    char first[32];
    const char *dash = strchr(text, '-');
    size_t length = dash != NULL ? (size_t)(dash - text) : 0;
    string_copy(first, MIN(length + 1, sizeof(first)), text);
    if (dash == NULL || length >= sizeof(first) || !number_parse(first, base) ||
        !number_parse(dash + 1, end)) {
        shell_error("%s: want an address, or two: 0x100000-4M", text);
        return false;
    }
    *base = shell_physical(*base);
    *end = shell_physical(*end);
    if (*base >= *end) {
        shell_error("%s: ends before it begins", text);
        return false;
    }
    return true;
}

void shell_map(int argc, char **argv)
{
    phys_addr_t base = 0, end = sections_memory_end(), last = end;
    uint64_t address = 0;
    bool one = argc > 1 && number_parse(argv[1], &address);
    if (one) {
        address = shell_physical(address);
        base = ALIGN_DOWN(address, ZOOM);
        end = base + ZOOM;
    } else if (argc > 1 && !range_parse(argv[1], &base, &end)) {
        return;
    }
    base = ALIGN_DOWN(base, PAGE_SIZE);
    end = ALIGN_UP(MIN(end, last), PAGE_SIZE);
    if (base >= end || address >= last) {
        shell_error("no RAM there; it ends at 0x%llx",
                    (unsigned long long)last);
        return;
    }
    strip_print(base, end);
    if (one) {
        frame_print(address);
    }
}
