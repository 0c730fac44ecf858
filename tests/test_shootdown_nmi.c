// SPDX-License-Identifier: MIT
//
// Shootdowns and the handlers of NMIs that need some themselves, since they
// open domains that have no key: an NMI must not wait for what it interrupted,
// nor for a CPU that waits for it.
#include "keyhole.h"
#include "mm/audit.h"
#include "tests/threads.h"

#define NEED_CPUS(n)                                                           \
    do {                                                                       \
        if (cpus_online() < (n)) {                                             \
            SKIP("needs more CPUs");                                           \
        }                                                                      \
    } while (0)

#define THIEVES 16 // more than there are keys

static struct page *thieves[THIEVES];
static unsigned uses;

static bool thieves_make(void)
{
    bool made = true;
    uses = 0;
    for (unsigned i = 0; i < THIEVES; i++) {
        struct domain *domain = domain_create("thief");
        thieves[i] = domain != NULL ? alloc_page(domain) : NULL;
        made = made && thieves[i] != NULL;
    }
    return made;
}

static bool thieves_unmake(void)
{
    bool gone = true;
    for (unsigned i = 0; i < THIEVES; i++) {
        struct domain *domain = page_domain(thieves[i]);
        free_page(thieves[i]);
        gone = domain_destroy(domain) == 0 && gone;
    }
    return gone;
}

// Each time another domain, which has no key any more.
static void use_another(void *unused)
{
    (void)unused;
    volatile unsigned *p = kmap_local_page(thieves[uses++ % THIEVES]);
    *p = uses;
    kunmap_local((const void *)p);
}

static void at_each_use(void *unused)
{
    (void)unused;
    cpu_nmi(cpu_id(), use_another, NULL);
}

static void unmap(void *address)
{
    kunmap_local(address);
}

// The unmap of scattered frames behind a move is a shootdown of its own, with
// no other lock held.
TEST(shootdown, nmis_all_along_one_by_a_thread_that_moved)
{
    NEED_CPUS(2);
    struct page *pages[2] = {alloc_page(domain_ram), alloc_page(domain_ram)};
    CHECK(pages[0] != NULL && pages[1] != NULL && thieves_make());
    char *p = kmap_local_pages(pages, 2);
    p[PAGE_SIZE] = 1;
    CHECK_EQ(thread_pin(1), 0);
    step_through(unmap, p, at_each_use, NULL);
    CHECK(uses > 100);
    CHECK_EQ(thread_pin(0), 0);
    free_page(pages[0]);
    free_page(pages[1]);
    CHECK(thieves_unmake());
    static struct audit_report report;
    CHECK(audit_run(&report));
}

static volatile bool over;

static int shoot_on(void *page)
{
    struct page *one = page;
    while (!over) {
        void *area = vmap(&one, 1, MAP_READ);
        if (area == NULL) {
            return -1;
        }
        vunmap(area);
    }
    return 0;
}

// The other CPU waits for an answer of this one, which an NMI's handler does
// not give.
TEST(shootdown, nmis_while_another_cpu_shoots)
{
    NEED_CPUS(2);
    struct page *page = alloc_page(domain_ram);
    CHECK(page != NULL && thieves_make());
    over = false;
    struct thread *thread = thread_create_on(1, "shooter", shoot_on, page);
    CHECK(thread != NULL);
    for (unsigned i = 0; i < 2000; i++) {
        cpu_nmi(cpu_id(), use_another, NULL);
    }
    over = true;
    CHECK_EQ(thread_join(thread), 0);
    CHECK_EQ(uses, 2000);
    free_page(page);
    CHECK(thieves_unmake());
}
