// SPDX-License-Identifier: MIT
//
// What handlers under test have in common.
#include "tests/handlers.h"

#include "arch/asm.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "mm/bracket.h"
#include "mm/domain.h"
#include "mm/engine.h"
#include "mm/keys.h"
#include "mm/section.h"
#include "tests/engines.h"

static struct {
    const char *file, *condition; // NULL: all checks held
    unsigned line;
    unsigned uses;
} handlers;

void handler_failed(const char *file, unsigned line, const char *condition)
{
    if (handlers.condition == NULL) {
        handlers.file = file;
        handlers.line = line;
        handlers.condition = condition;
    }
}

bool handlers_passed(void)
{
    const char *condition = handlers.condition;
    handlers.condition = NULL;
    if (condition != NULL) {
        printf("# %s:%u: in a handler: %s\n", handlers.file, handlers.line,
               condition);
    }
    return condition == NULL;
}

bool rights_are(uint32_t want)
{
    if (protect_engine() == PROTECT_PKS) {
        return pks_rights() == want &&
               (uint32_t)cpu_read_msr(MSR_IA32_PKRS) == want;
    }
    uint64_t is, wanted;
    return want != PKRS_CLOSED ||
           (pks_rights() == want && engine->rights_hold(&is, &wanted));
}

static bool same_but_for_slow_keys(uint32_t a, uint32_t b)
{
    const uint32_t slow = PKRS_KEY_MASK(KEY_TABLES) | PKRS_KEY_MASK(KEY_WINDOW);
    return ((a ^ b) & ~slow) == 0;
}

// The slot is noted after the register is written (docs/TRICKS.md). Until then
// the bracket's frame tells what it will say.
static bool is_about_to_be_noted(const struct bracket *slot, uint32_t now)
{
    phys_addr_t address = bracket_address(slot) - DIRECT_MAP_BASE;
    if (!section_is_ready(address)) {
        return false; // a window's
    }
    uint32_t before = slot[-1].rights;
    unsigned domain = frame_page(address / PAGE_SIZE)->private_domain;
    return same_but_for_slow_keys(now, before & domain_write_[domain].keep) ||
           same_but_for_slow_keys(now, before & domain_read_[domain].keep);
}

bool interrupted_rights_are_sound(const struct trap_frame *frame)
{
    const struct bracket *slot = frame->bracket_top - 1;
    uint32_t now = (uint32_t)frame->rights;
    if (protect_engine() != PROTECT_PKS ||
        same_but_for_slow_keys(now, slot->rights)) {
        return true;
    }
    return !bracket_is_sentinel(slot) &&
           (same_but_for_slow_keys(now, slot[-1].rights) ||
            is_about_to_be_noted(slot, now));
}

void handler_uses_frame(void *page)
{
    HANDLER_CHECK(percpu.trap_level != 0);
    HANDLER_CHECK(!(cpu_read_flags() & (RFLAGS_IF | RFLAGS_TF)));
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
    HANDLER_CHECK(brackets_depth() == 0);
    volatile unsigned *p = kmap_local_page(page);
    HANDLER_CHECK(brackets_depth() == engine_keeps_account());
    *p = ++handlers.uses;
    HANDLER_CHECK(*p == handlers.uses);
    kunmap_local((const void *)p);
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
    HANDLER_CHECK(brackets_depth() == 0);
}

unsigned handler_uses(void)
{
    unsigned uses = handlers.uses;
    handlers.uses = 0;
    return uses;
}

uint64_t faults_count(void)
{
    struct map_stats stats;
    map_stats_read(&stats);
    return stats.faults;
}
