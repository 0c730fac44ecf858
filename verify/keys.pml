// SPDX-License-Identifier: MIT
//
// A key changes hands while other CPUs may be about to use it (mm/keys.c,
// arch/tlb.c; the hot path is BRACKET_MAP_ of include/keyhole.h).
//
// Two CPUs, two domains, and one key to lend, which domain 1 has. Threads open
// and close a bracket on either, take the key if the other domain has it, and
// idle. Interrupts and NMIs come between any two steps, of a map call too; an
// NMI opens a bracket if the key is there for it.
//
// Holds: a CPU whose register opens the key reaches frames of no domain but
// that of a bracket of the context that runs (rules 1 and 2 of the contract); a
// map call gives the right to its frames (rule 7); nobody waits for ever.
//
// A store may stay in the CPU's store buffer (SDM 3A 8.2.3.4): so that a CPU
// raises the top over its bracket, and looks at the domain's rights before
// others can see that. This and switches are why parking is needed: without
// either (IN_ORDER, NO_SWITCH), the break no_park would do no harm. A TLB remembers what a leaf said when it was flushed
// last, as if it loaded it again at once: nothing could be older.
//
// Breaks: no_park look_first rights_late top_late give_early release_early
//  release_marked wake_at_once idle_goes_on parking_late wake_forgets no_poll
//  no_fence answer_first

#define CPUS 2
#define PARKS
#ifndef WORK
#define WORK 2
#endif
#ifndef NMIS
#define NMIS 1
#endif
#define DEVICES 1

#define D 1
#define E 2
#define THREAD 0
#define NMI 1

#define KEY_CLOSED 0
#define KEY 1

typedef domains { byte key[3] };
domains tlb[CPUS];         // the key of each domain's leaves, as remembered
byte leaf_key[3];          // the same in the page tables
bit domain_key[3];         // 0: parked
bit keep[3];               // domain_write_[].keep: 0, go the slow way
byte owners;               // who has KEY, 0: nobody
bit IA32_PKRS[CPUS];       // KEY is open
typedef contexts { byte on[2] };
contexts bracket_top[CPUS]; // the domain of the open bracket: what others see
contexts bracket[CPUS];     // and what the CPU itself has done
chan buffer[CPUS] = [1] of { byte, byte }; // stores to bracket_top, in order

byte work;            // how much may be begun yet
byte request_batch;   // of the request in arch/tlb.c: a domain, 0: nothing
bit mm_spinlock;
byte waiting;         // the domain of the bracket of a thread that is ready

#define stores_seen(cpu) empty(buffer[cpu])
#define NMI_COMES(cpu) (cpu == 1) // there is one, and the CPUs are alike

// Who runs: of threads and of handlers of NMIs.
#define CONTEXT(cpu) (in_nmi[cpu] -> NMI : THREAD)
#define REACHES(cpu, d) (IA32_PKRS[cpu] && tlb[cpu].key[d] == KEY)
#define RULES(cpu)                                                             \
    assert(!REACHES(cpu, D) || bracket[cpu].on[CONTEXT(cpu)] == D);            \
    assert(!REACHES(cpu, E) || bracket[cpu].on[CONTEXT(cpu)] == E)

inline flush_all(cpu)
{
    d_step
    {
        tlb[cpu].key[D] = leaf_key[D];
        tlb[cpu].key[E] = leaf_key[E];
        RULES(cpu)
    }
}

inline flush_requested(cpu)
{
    d_step
    {
        tlb[cpu].key[request_batch] = leaf_key[request_batch];
        RULES(cpu)
    }
}

inline request_fill(what)
{
    request_batch = what
}

#include "tlb.pml"

// ----------------------------------------------------------------------- Keys

// blocks_rekey_locked(), and what this CPU's TLB does about it.
inline rekey(cpu, d, value)
{
    d_step
    {
        leaf_key[d] = value;
        tlb[cpu].key[d] = value;
        RULES(cpu)
    }
}

inline key_give_locked(cpu, d)
{
    owners = d;
    rekey(cpu, d, KEY);
#ifdef BREAK_give_early
    keep[d] = 1;
#endif
    shoot(cpu, d);
    domain_key[d] = 1;
    keep[d] = 1
}

// brackets_busy_keys(): who is parked changes nothing but by NMIs, which find
// `keep` cleared.
#define BUSY(d)                                                                \
    (bracket_top[0].on[THREAD] == d || bracket_top[0].on[NMI] == d ||          \
     bracket_top[1].on[THREAD] == d || bracket_top[1].on[NMI] == d ||          \
     waiting == d)

// Sets `busy` if somebody has the victim's key open.
inline key_take_idle_locked(cpu, victim)
{
#ifdef BREAK_look_first
    busy = BUSY(victim);
#endif
#ifndef BREAK_rights_late
    keep[victim] = 0;
#endif
#ifndef BREAK_no_park
    tlb_park(cpu);
#endif
#ifndef BREAK_look_first
    busy = BUSY(victim);
#endif
    if
    :: !busy -> // key_withdraw_locked()
        domain_key[victim] = 0;
        rekey(cpu, victim, KEY_CLOSED);
#ifdef BREAK_rights_late
        keep[victim] = 0;
#endif
        owners = 0
    :: else -> keep[victim] = 1
    fi;
#ifdef BREAK_no_park
    shoot(cpu, (busy -> 0 : victim))
#else
    request_batch = (busy -> 0 : victim);
    tlb_release(cpu, !busy)
#endif
}

// key_get(): sets `busy` if there is no key to be had.
inline key_get(cpu)
{
    interrupts_off[cpu] = true; // mm_lock()
    spin_lock(cpu, mm_spinlock);
    if
    :: domain_key[domain]
    :: else ->
        other = owners;
        if
        :: other != 0 -> key_take_idle_locked(cpu, other)
        :: else
        fi;
        if
        :: !busy -> key_give_locked(cpu, domain)
        :: else
        fi;
        other = 0
    fi;
    atomic
    {
        stores_seen(cpu) -> // mm_unlock()
        mm_spinlock = false;
        interrupts_off[cpu] = false
    }
}

// ------------------------------------------------------------------ Brackets

#define WRMSR(cpu, value) d_step { IA32_PKRS[cpu] = value; RULES(cpu) }

inline bracket_raise(cpu, context)
{
    atomic
    {
        buffer[cpu]!context,domain;
        bracket[cpu].on[context] = domain
    }
#ifdef IN_ORDER
    ; stores_seen(cpu)
#endif
}

inline bracket_lower(cpu, context)
{
    atomic
    {
        buffer[cpu]!context,0;
        bracket[cpu].on[context] = 0
    }
}

// Access to a frame of the bracket's domain.
#define USE(cpu) assert(REACHES(cpu, domain))

// kmap_local_page(), an access, and kunmap_local(). If there is no key, through
// the window (rights.pml).
inline bracket_around(cpu)
{
#ifdef BREAK_top_late
    eax = keep[domain];
    bracket_raise(cpu, THREAD);
#else
    bracket_raise(cpu, THREAD);
    eax = keep[domain];
#endif
    if
    :: eax
    :: else -> key_get(cpu)
    fi;
    if
    :: !busy -> WRMSR(cpu, 1);
        USE(cpu);
        WRMSR(cpu, 0)
    :: else
    fi;
    bracket_lower(cpu, THREAD);
    atomic { domain = 0; eax = 0; busy = false }
}

// mm_context_switch() to a thread with a bracket open, which it then closes.
inline switch_to_waiting(cpu)
{
    bracket_raise(cpu, THREAD);
    WRMSR(cpu, 1);
    interrupts_off[cpu] = false;
    USE(cpu);
    WRMSR(cpu, 0);
    bracket_lower(cpu, THREAD);
    domain = 0
}

// The same in the handler of an NMI, which does not take keys.
inline bracket_around_in_nmi(cpu)
{
    bracket_raise(cpu, NMI);
    if
    :: keep[domain] -> WRMSR(cpu, 1);
        USE(cpu);
        WRMSR(cpu, 0)
    :: else
    fi;
    bracket_lower(cpu, NMI);
    domain = 0
}

// ------------------------------------------------------------------ Contexts

active [CPUS] proctype thread() provided(THREAD_RUNS)
{
    TLB_LOCALS;
    byte domain, other;
    bit eax, busy;

    do
    :: atomic
        {
            work > 0 -> work--;
            if
            :: domain = D
            :: domain = E
            fi
        };
        bracket_around(_pid)
    :: atomic
        {
            waiting != 0 -> // by its queue's lock, one CPU gets the thread
            interrupts_off[_pid] = true;
            domain = waiting;
            waiting = 0
        };
        switch_to_waiting(_pid)
    :: idle(_pid)
    od
}

// The way in saves the register and closes it, the way out puts it back
// (rights.pml).
active [CPUS] proctype interrupt() provided(INTERRUPT_RUNS)
{
    byte old;
    bit flush_here, rights;

end:
    do
    :: interrupt_taken(_pid - CPUS);
        d_step { rights = IA32_PKRS[_pid - CPUS]; IA32_PKRS[_pid - CPUS] = 0 };
        wake_if_lazy(_pid - CPUS, false);
        if
        :: flush_here -> tlb_serve(_pid - CPUS)
        :: else
        fi;
        d_step
        {
            IA32_PKRS[_pid - CPUS] = rights;
            rights = 0;
            interrupt_over(_pid - CPUS);
            RULES(_pid - CPUS)
        }
    od
}

active [CPUS] proctype nmi()
{
    byte old, domain;
    bit rights;

end:
    do
    :: nmi_taken(_pid - 2 * CPUS);
        d_step
        {
            rights = IA32_PKRS[_pid - 2 * CPUS];
            IA32_PKRS[_pid - 2 * CPUS] = 0
        };
        wake_if_lazy(_pid - 2 * CPUS, true);
        if
        :: domain = D
        :: domain = E
        fi;
        bracket_around_in_nmi(_pid - 2 * CPUS);
        d_step
        {
            IA32_PKRS[_pid - 2 * CPUS] = rights;
            rights = 0;
            nmi_over(_pid - 2 * CPUS);
            RULES(_pid - 2 * CPUS)
        }
    od
}

active proctype store_buffers()
{
    byte context, domain;

    atomic // how it begins
    {
        owners = D;
        leaf_key[D] = KEY;
        domain_key[D] = 1;
        keep[D] = 1;
        tlb[0].key[D] = KEY;
        tlb[1].key[D] = KEY;
        work = WORK
#ifndef NO_SWITCH
        ;
        if
        :: waiting = D
        :: skip
        fi
#endif
    };
end:
    do
    :: d_step { buffer[0]?context,domain ->
                bracket_top[0].on[context] = domain; context = 0; domain = 0 }
    :: d_step { buffer[1]?context,domain ->
                bracket_top[1].on[context] = domain; context = 0; domain = 0 }
    od
}
