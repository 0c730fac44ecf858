// SPDX-License-Identifier: MIT
//
// What handlers under test have in common.
#include "tests/handlers.h"

#include "arch/asm.h"
#include "arch/cpu.h"
#include "arch/pks.h"
#include "mm/bracket.h"
#include "mm/engine.h"

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

void handler_uses_frame(void *page)
{
    HANDLER_CHECK(percpu.trap_level != 0);
    HANDLER_CHECK(!(cpu_read_flags() & (RFLAGS_IF | RFLAGS_TF)));
    HANDLER_CHECK(rights_are(PKRS_CLOSED));
    HANDLER_CHECK(brackets_depth() == 0);
    volatile unsigned *p = kmap_local_page(page);
    HANDLER_CHECK(brackets_depth() == 1);
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
