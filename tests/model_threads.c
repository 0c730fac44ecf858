// SPDX-License-Identifier: MIT
//
// The actors: their random steps, how they begin and end, and what is said of
// one that fails.
#include "tests/model_threads.h"

#include "kernel/misuse.h"
#include "kernel/symbols.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "mm/audit.h"

static struct owners *under_way;
static uint64_t steps_done;

struct owners *model_threads_owners(void)
{
    return __atomic_load_n(&under_way, __ATOMIC_ACQUIRE);
}

uint64_t model_threads_steps(void)
{
    return steps_done;
}

// SplitMix64.
uint64_t actor_random(struct actor *actor, uint64_t below)
{
    uint64_t value = actor->random += 0x9e3779b97f4a7c15ull;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ value >> 27) * 0x94d049bb133111ebull;
    return (value ^ value >> 31) % below;
}

void actor_fail(struct actor *actor, const char *what, uintptr_t address)
{
    if (actor->failure == NULL) {
        actor->failure = what;
        actor->failure_address = address;
    }
    __atomic_store_n(&actor->owners->failed, true, __ATOMIC_RELAXED);
}

void actor_about(struct actor *actor, uint64_t what)
{
    actor->log[actor->steps % ACTOR_LOG].about = what;
}

void actor_dead_add(struct actor *actor, uintptr_t address)
{
    actor->dead[actor->dead_next++ % ACTOR_DEAD] = address;
}

// ----------------------------------------------------------------------- Steps

static void actor_yield(struct actor *actor)
{
    (void)actor;
    thread_yield();
}

static void actor_sleep(struct actor *actor)
{
    thread_sleep_ms(actor_random(actor, 2));
}

// To any CPU, and half of the time free to be moved on from there.
static void actor_pin(struct actor *actor)
{
    unsigned cpu = actor_random(actor, cpus_online());
    actor_about(actor, cpu);
    if (thread_pin(cpu) != 0 || cpu_id() != cpu) {
        actor_fail(actor, "thread_pin() leads elsewhere", cpu);
    }
    if (actor_random(actor, 2) == 0) {
        thread_unpin();
    }
}

static void actor_close_all(struct actor *actor)
{
    while (actor->depth > 0) {
        actor_close(actor);
    }
}

// Steps in which brackets open more often than they close, and then as many the
// other way round: so that they nest until every key is taken.
#define STEPS_OF_A_TIDE 80

static const struct {
    const char *name;
    unsigned weight[2]; // while brackets pile up, and while they go
    void (*run)(struct actor *actor);
} kinds[] = {
    {"alloc", {12, 12}, actor_alloc},
    {"free", {8, 8}, actor_free},
    {"copy", {6, 6}, actor_copy},
    {"take a shared frame", {6, 6}, actor_take},
    {"give a shared frame", {5, 5}, actor_give},
    {"change a domain", {2, 2}, actor_domain},
    {"open a bracket", {36, 10}, actor_open},
    {"close a bracket", {9, 30}, actor_close},
    {"close all", {0, 2}, actor_close_all},
    {"kmap", {8, 8}, actor_kmap},
    {"kunmap", {9, 9}, actor_kunmap},
    {"vmap", {8, 8}, actor_vmap},
    {"vunmap", {9, 9}, actor_vunmap},
    {"yield", {8, 8}, actor_yield},
    {"sleep", {1, 1}, actor_sleep},
    {"pin", {3, 3}, actor_pin},
    {"watch", {6, 6}, actor_watch},
};

static void actor_step(struct actor *actor)
{
    unsigned weights = 0, kind = 0;
    unsigned tide = actor->steps / STEPS_OF_A_TIDE % 2;
    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
        weights += kinds[i].weight[tide];
    }
    unsigned at = actor_random(actor, weights);
    while (at >= kinds[kind].weight[tide]) {
        at -= kinds[kind++].weight[tide];
    }
    unsigned slot = actor->steps % ACTOR_LOG;
    actor->log[slot].name = kinds[kind].name;
    actor->log[slot].about = 0;
    actor->log[slot].cpu = cpu_id();
    kinds[kind].run(actor);
    actor_check(actor);
    actor->steps++;
}

// --------------------------------------------------------- Beginning and end

static bool actor_is_over(const struct actor *actor)
{
    const struct owners *owners = actor->owners;
    if (__atomic_load_n(&owners->failed, __ATOMIC_RELAXED)) {
        return true;
    }
    return actor->steps >= owners->steps || clock_now() >= owners->until;
}

static void actor_body(void *argument)
{
    struct actor *actor = argument;
    while (!actor_is_over(actor)) {
        actor_step(actor);
    }
}

static void actor_body_end(void *actor)
{
    actor_close_all(actor);
    actor_end(actor);
}

static void fault_explain(const struct actor *actor, const struct fault *fault)
{
    const char *in = symbol_find(fault->ip, NULL);
    printf("# thread %u, on CPU %u: %s at 0x%lx in %s\n", actor->number,
           fault->cpu,
           fault->kind == FAULT_OTHER ? misuse_last()->what
                                      : "an access that is refused",
           fault->address, in != NULL ? in : "nothing known");
}

static int actor_run(void *argument)
{
    struct actor *actor = argument;
    struct fault fault;
    if (!run_protected(actor_body, actor, &fault)) {
        fault_explain(actor, &fault);
        actor_fail(actor, "a step faulted, or is a misuse", fault.address);
        actor->depth = 0; // run_protected() closed them
    }
    if (!run_protected(actor_body_end, actor, &fault)) {
        fault_explain(actor, &fault);
        actor_fail(actor, "the end faulted, or is a misuse", fault.address);
    }
    return 0;
}

static void failure_print(const struct actor *actor, uint64_t seed)
{
    uint64_t end = actor->steps + 1;
    printf("# seed=%llu, thread %u: %s: 0x%lx\n", (unsigned long long)seed,
           actor->number, actor->failure, actor->failure_address);
    for (uint64_t i = end > ACTOR_LOG ? end - ACTOR_LOG : 0; i < end; i++) {
        unsigned slot = i % ACTOR_LOG;
        if (actor->log[slot].name != NULL) {
            printf("#   step %llu on CPU %u: %s, 0x%llx\n",
                   (unsigned long long)i, actor->log[slot].cpu,
                   actor->log[slot].name,
                   (unsigned long long)actor->log[slot].about);
        }
    }
}

static struct owners *owners_make(uint64_t seed)
{
    struct owners *owners = kzalloc(sizeof(*owners));
    if (owners == NULL) {
        return NULL;
    }
    owners->actors = MIN(MAX(2 * cpus_online(), ACTORS_MIN), ACTORS_MAX);
    for (unsigned i = 0; i < owners->actors; i++) {
        owners->actor[i].owners = owners;
        owners->actor[i].number = i;
        owners->actor[i].random = seed + (uint64_t)i * 0x632be59bd9b4e019ull;
    }
    for (unsigned i = 0; i < ROWS; i++) {
        bool shared = i >= ROW_SHARED;
        owners->rows[i].holder = shared ? ROW_NOBODY : (int)(i / OWN_ROWS);
        owners->rows[i].domain = DOMAIN_SHARED + i % SHARED_DOMAINS;
    }
    for (unsigned i = 0; i < owners->actors * OWN_DOMAINS; i++) {
        owners->domains[i] = domain_create("private");
    }
    for (unsigned i = DOMAIN_SHARED; i < DOMAINS; i++) {
        owners->domains[i] = domain_create("shared");
    }
    return owners;
}

// For want of memory it is tried again.
static bool domain_end(struct domain *domain)
{
    int result;
    while ((result = domain_destroy(domain)) == -ENOMEM) {
        thread_sleep_ms(1);
    }
    return result == 0;
}

// What nobody holds is ended as if the first actor had taken it.
static void owners_end(struct owners *owners)
{
    struct actor *first = &owners->actor[0];
    for (unsigned i = ROW_SHARED; i < ROWS; i++) {
        owners->rows[i].holder = 0;
    }
    actor_end(first);
    for (unsigned i = 0; i < DOMAINS; i++) {
        if (owners->domains[i] != NULL && !domain_end(owners->domains[i])) {
            actor_fail(first, "a domain without frames is not destroyed", i);
        }
    }
}

static void actors_run(struct owners *owners)
{
    for (unsigned i = 0; i < owners->actors; i++) {
        struct actor *actor = &owners->actor[i];
        actor->thread = thread_create("actor", actor_run, actor);
    }
    for (unsigned i = 0; i < owners->actors; i++) {
        if (owners->actor[i].thread != NULL) {
            thread_join(owners->actor[i].thread);
            steps_done += owners->actor[i].steps;
        }
    }
}

static void nothing(void *unused)
{
    (void)unused;
}

// On return no handler uses the table any more.
static void owners_hide(void)
{
    __atomic_store_n(&under_way, NULL, __ATOMIC_RELEASE);
    for (unsigned cpu = 0; cpu < cpus_online(); cpu++) {
        cpu_call(cpu, nothing, NULL);
    }
}

bool model_threads_run(uint64_t seed, uint64_t steps, uint64_t until)
{
    struct owners *owners = owners_make(seed);
    if (owners == NULL) {
        return true; // little memory
    }
    owners->steps = steps;
    owners->until = until;
    __atomic_store_n(&under_way, owners, __ATOMIC_RELEASE);
    actors_run(owners);
    owners_hide();
    if (!owners->failed) {
        owners_end(owners);
    }
    bool failed = owners->failed;
    for (unsigned i = 0; i < owners->actors; i++) {
        if (owners->actor[i].failure != NULL) {
            failure_print(&owners->actor[i], seed);
        }
    }
    kfree(owners);
    return !failed;
}
