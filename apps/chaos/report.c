// SPDX-License-Identifier: MIT
//
// What came of it, for people and for tools/chaos.
#include "apps/chaos/chaos.h"
#include "mm/engine.h"

#define ULL(value) ((unsigned long long)(value))

// Whether the engine promises that every stray is refused.
static bool promises(void)
{
    enum protect_engine id = protect_engine();
    return id == PROTECT_PKS || id == PROTECT_EXACT;
}

static bool strays_are_refused(void)
{
    bool good = true;

    for (unsigned i = 0; i < STRAYS; i++) {
        const struct stray_count *count = &chaos.count[i];
        bool may_pass =
            i == STRAY_SAME_DOMAIN && protect_engine() == PROTECT_PKS;
        good = good && count->odd == 0 && (may_pass || count->through == 0);
    }
    return good;
}

static bool is_verified(void)
{
    const struct verdict *verdict = &chaos.verdict;
    return verdict->found == 0 && verdict->wrong == 0 && verdict->lost == 0 &&
           verdict->extra == 0 && verdict->unmountable == 0 &&
           chaos.work.errors == 0 && chaos.work.wrong == 0;
}

static void table_print(void)
{
    printf("\n  %-18s %9s %9s %9s %9s\n", "stray write", "tried", "refused",
           "named", "through");
    for (unsigned i = 0; i < STRAYS; i++) {
        const struct stray_count *count = &chaos.count[i];
        printf("  %-18s %9llu %9llu %9llu %9llu\n", stray_name(i),
               ULL(count->tried), ULL(count->refused), ULL(count->named),
               ULL(count->through));
    }
    printf("\n");
}

static void story_print(void)
{
    const struct work_count *work = &chaos.work;
    const struct verdict *verdict = &chaos.verdict;

    printf("Meanwhile %llu commits, %llu aborts, %llu values read; %llu wrong "
           "answers and %llu errors seen.\n",
           ULL(work->commits), ULL(work->aborts), ULL(work->reads),
           ULL(work->wrong), ULL(work->errors));
    printf("Handlers stopped %llu times code that had the store open.\n",
           ULL(chaos.inside));
    printf("Blocks reached %llu, found damaged %llu. Keys right %llu, wrong "
           "%llu, lost %llu, too many %llu.\n",
           ULL(verdict->hit), ULL(verdict->found), ULL(verdict->right),
           ULL(verdict->wrong), ULL(verdict->lost), ULL(verdict->extra));
}

static void json_print(bool good)
{
    const struct work_count *work = &chaos.work;
    const struct verdict *verdict = &chaos.verdict;

    printf("chaos {\"engine\":\"%s\",\"cpus\":%u,\"seed\":%llu,\"strays\":%llu,"
           "\"kinds\":[",
           engine->name, cpus_online(), ULL(chaos.seed), ULL(chaos.strays));
    for (unsigned i = 0; i < STRAYS; i++) {
        const struct stray_count *count = &chaos.count[i];
        printf("%s{\"name\":\"%s\",\"tried\":%llu,\"refused\":%llu,\"named\":"
               "%llu,\"odd\":%llu,\"through\":%llu}",
               i == 0 ? "" : ",", stray_name(i), ULL(count->tried),
               ULL(count->refused), ULL(count->named), ULL(count->odd),
               ULL(count->through));
    }
    printf("],\"commits\":%llu,\"aborts\":%llu,\"reads\":%llu,\"seen_wrong\":"
           "%llu,\"seen_errors\":%llu,\"inside\":%llu,\"rounds\":%llu,"
           "\"unmountable\":%llu,\"hit\":%llu,\"found\":%llu,\"right\":%llu,"
           "\"wrong\":%llu,\"lost\":%llu,\"extra\":%llu,\"refused\":%s,"
           "\"verified\":%s,\"good\":%s}\n",
           ULL(work->commits), ULL(work->aborts), ULL(work->reads),
           ULL(work->wrong), ULL(work->errors), ULL(chaos.inside),
           ULL(verdict->rounds), ULL(verdict->unmountable), ULL(verdict->hit),
           ULL(verdict->found), ULL(verdict->right), ULL(verdict->wrong),
           ULL(verdict->lost), ULL(verdict->extra),
           strays_are_refused() ? "true" : "false",
           is_verified() ? "true" : "false", good ? "true" : "false");
}

bool report_print(void)
{
    bool good = !promises() || (strays_are_refused() && is_verified());

    table_print();
    story_print();
    printf("%s: %s.\n", engine->name,
           is_verified() ? "the store is what it must be, bit for bit"
                         : "the store is not what it must be");
    json_print(good);
    return good;
}
