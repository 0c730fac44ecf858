// SPDX-License-Identifier: MIT
//
// arch/tlb.c and the waiting in arch/spinlock.c, for the models of several CPUs:
// requests to other CPUs, parking them, and CPUs that idle. One step for each
// access to what CPUs share. Included by shootdown.pml and keys.pml, which say
// before it
//
//   CPUS                     how many
//   flush_all(cpu)           drop all that the CPU's TLB has
//   flush_requested(cpu)     drop what the request says
//   request_fill(what)       make the request say it
//   stores_seen(cpu)         true when the CPU's stores have left its buffer
//   NMI_COMES(cpu)           whether the CPU gets NMIs
//
// A loop that waits is one step that is not enabled until the loop would end or
// serve a request. So what waits for ever is a deadlock, which spin reports.
//
// Each CPU has a thread, a handler of interrupts and a handler of NMIs. The
// processes of each kind are numbered from a multiple of CPUS.

#define THREAD_RUNS (!in_interrupt[_pid] && !in_nmi[_pid])
#define INTERRUPT_RUNS (!in_nmi[_pid - CPUS])

bit interrupts_off[CPUS];
bit in_interrupt[CPUS];
bit in_nmi[CPUS];
bit halted[CPUS];         // by HLT, until a trap has been handled
bit vector_flush[CPUS];   // VECTOR_FLUSH is pending
byte nmis = NMIS;         // how many may come yet
byte devices = DEVICES;   // the same for other interrupts

// enum tlb_state
#define TLB_ACTIVE 0
#define TLB_LAZY 1
#define TLB_STALE 2

// enum tlb_wanted
#define TLB_NOTHING 0
#define TLB_FLUSH 1
#define TLB_PARK 2
#define TLB_PARKED 3

bit tlb_lazy[CPUS];
byte tlb_state[CPUS];
byte tlb_wanted[CPUS];

bit request_lock;
bit request_parking;
byte request_parked; // a mask

#define TLB_LOCALS byte old, i, asked

// ------------------------------------------------------------------ Spinlocks

#ifdef BREAK_no_poll
#define ASKED(cpu) false
#else
#define ASKED(cpu)                                                             \
    (tlb_wanted[cpu] == TLB_FLUSH || tlb_wanted[cpu] == TLB_PARK)
#endif

// With interrupts off. The last step of spin_wait() and the exchange are one:
// what comes between them only goes round once more.
inline spin_lock(cpu, lock)
{
    do
    :: atomic { !lock -> lock = true; break }
    :: lock && ASKED(cpu) -> tlb_serve(cpu)
    od
}

inline spin_unlock(cpu, lock)
{
    atomic { stores_seen(cpu) -> lock = false }
}

// ---------------------------------------------------------- The CPU's own side

inline tlb_serve(cpu)
{
    if
    :: tlb_wanted[cpu] == TLB_NOTHING
    :: else ->
#ifdef PARKS
        if
        :: tlb_wanted[cpu] == TLB_PARK ->
            atomic { stores_seen(cpu) -> tlb_wanted[cpu] = TLB_PARKED };
            tlb_wanted[cpu] != TLB_PARKED
        :: else
        fi;
#endif
#ifdef BREAK_answer_first
        tlb_wanted[cpu] = TLB_NOTHING;
        flush_requested(cpu)
#else
        flush_requested(cpu);
        atomic { stores_seen(cpu) -> tlb_wanted[cpu] = TLB_NOTHING }
#endif
    fi
}

inline tlb_idle(cpu)
{
    atomic { stores_seen(cpu) -> tlb_state[cpu] = TLB_LAZY }
}

inline tlb_wake(cpu, nmi_context)
{
    // An exchange.
    atomic
    {
        stores_seen(cpu) -> old = tlb_state[cpu];
        tlb_state[cpu] = TLB_ACTIVE
    };
#ifdef BREAK_wake_forgets
    tlb_lazy[cpu] = nmi_context;
#endif
    if
#ifdef BREAK_wake_forgets
    :: old == TLB_STALE -> flush_all(cpu)
#else
    // What an NMI interrupts may be between these two steps.
    :: old == TLB_STALE || nmi_context -> flush_all(cpu)
#endif
    :: else
    fi;
#if defined(PARKS) && !defined(BREAK_wake_at_once)
    do
    :: !request_parking || nmi_context -> break
    :: request_parking && !nmi_context && ASKED(cpu) -> tlb_serve(cpu)
    od;
#endif
    atomic { old = 0; tlb_lazy[cpu] = nmi_context }
}

// --------------------------------------------------------------- The initiator

#define MASK(cpu) (1 << (cpu))

// mark_stale(), or else ask(), for each CPU in the mask. Steps that touch
// nothing shared are one with the next.
inline ask_all(cpu, mask, what)
{
    do
    :: atomic { i < CPUS && (i == cpu || !((mask) & MASK(i))) -> i++ }
    :: i < CPUS && i != cpu && ((mask) & MASK(i)) ->
#ifdef BREAK_mark_in_two
        if
        :: tlb_state[i] != TLB_ACTIVE ->
            atomic { tlb_state[i] = TLB_STALE; i++ }
#else
        if
        :: atomic { tlb_state[i] != TLB_ACTIVE ->
                    tlb_state[i] = TLB_STALE; i++ }
#endif
        :: else ->
            // The fence in apic_send() keeps these in order.
#ifdef BREAK_no_fence
            vector_flush[i] = true;
            atomic { tlb_wanted[i] = what; asked = asked | MASK(i); i++ }
#else
            tlb_wanted[i] = what;
            atomic { vector_flush[i] = true; asked = asked | MASK(i); i++ }
#endif
        fi
    :: atomic { i == CPUS -> i = 0; break }
    od
}

// All at once: a word that was answered is not asked again before the next
// request.
#define ANSWERED(i, what) (!(asked & MASK(i)) || tlb_wanted[i] != what)
inline wait_all(what)
{
    atomic
    {
        ANSWERED(0, what) && ANSWERED(1, what) && ANSWERED(CPUS - 1, what) ->
        asked = 0
    }
}

inline shoot(cpu, what_)
{
#ifndef BREAK_request_shared
    spin_lock(cpu, request_lock);
#endif
    request_fill(what_);
    ask_all(cpu, 255, TLB_FLUSH);
    wait_all(TLB_FLUSH);
#ifndef BREAK_request_shared
    spin_unlock(cpu, request_lock)
#endif
}

inline tlb_park(cpu)
{
    spin_lock(cpu, request_lock);
#ifdef BREAK_parking_late
    ask_all(cpu, 255, TLB_PARK);
    request_parking = true;
#else
    atomic { stores_seen(cpu) -> request_parking = true };
    ask_all(cpu, 255, TLB_PARK);
#endif
    request_parked = asked;
    wait_all(TLB_PARK)
}

// Those that were marked may have taken up work in the handler of an NMI, so
// they are looked at again.
inline tlb_release(cpu, batch)
{
    asked = request_parked;
    do
    :: atomic { i < CPUS ->
        if
        :: asked & MASK(i) -> tlb_wanted[i] = TLB_FLUSH
        :: else
        fi;
        i++ }
    :: atomic { i == CPUS -> i = 0; break }
    od;
#ifndef BREAK_release_marked
    if
    :: batch -> ask_all(cpu, 255 - request_parked, TLB_FLUSH)
    :: else
    fi;
#endif
#ifndef BREAK_release_early
    wait_all(TLB_FLUSH);
#endif
    atomic
    {
        stores_seen(cpu) -> request_parking = false;
        request_parked = 0;
        asked = 0
    };
    spin_unlock(cpu, request_lock)
}

// --------------------------------------------------------- Traps and idling

// The idle thread: a trap ends HLT, and an NMI does not do all that tlb_wake()
// has to.
inline idle(cpu)
{
    atomic { interrupts_off[cpu] = true; tlb_lazy[cpu] = true }; // CLI
    tlb_idle(cpu);
    d_step { interrupts_off[cpu] = false; halted[cpu] = true }; // STI, HLT
end_halted:
    atomic { !halted[cpu] -> interrupts_off[cpu] = true };      // CLI
#ifndef BREAK_idle_goes_on
    if
    :: tlb_lazy[cpu] -> tlb_wake(cpu, false)
    :: else
    fi;
#endif
    interrupts_off[cpu] = false
}

// trap_handle() of an interrupt: VECTOR_FLUSH, or another that may end HLT.
inline interrupt_taken(cpu)
{
    atomic
    {
        !in_interrupt[cpu] && !interrupts_off[cpu] && !in_nmi[cpu] &&
            (vector_flush[cpu] || (devices > 0 && halted[cpu])) ->
        in_interrupt[cpu] = true;
        flush_here = vector_flush[cpu];
        vector_flush[cpu] = false;
        devices = (flush_here -> devices : devices - 1)
    }
}

inline wake_if_lazy(cpu, nmi_context)
{
    if
    :: tlb_lazy[cpu] -> tlb_wake(cpu, nmi_context)
    :: else
    fi
}

inline interrupt_over(cpu)
{
    in_interrupt[cpu] = false;
    halted[cpu] = false;
    flush_here = 0
}

inline nmi_taken(cpu)
{
    atomic { nmis > 0 && NMI_COMES(cpu) -> nmis--; in_nmi[cpu] = true }
}

inline nmi_over(cpu)
{
    in_nmi[cpu] = false;
    halted[cpu] = false
}
