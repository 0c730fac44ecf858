// SPDX-License-Identifier: MIT
//
// A thread is switched out inside a bracket and goes on elsewhere (mm/context.c,
// kernel/sched.c, mm/local_window.c).
//
// Two CPUs, each with an idle thread, and two threads: ROAMER opens and closes a
// bracket with a part in its window, HOLDER has a bracket open all the time.
// Threads are preempted between any two steps and give way by themselves; ROAMER
// is stolen by an idle CPU, or moves to the other one.
//
// After each step of a CPU the rules for those who look are checked, an NMI on
// that CPU say: its slots are no others' (nmi_slots), and it finds every open
// bracket of the threads that this CPU is about to change (finds). And always:
//
//   no thread runs on a stack that another CPU is on;
//   what a CPU's register opens is what its context may do, so nothing is left
//   of a thread that went away;
//   an address of a window that is in use reaches its frame and no other.
//
// Left out: how a shootdown is done (shootdown.pml), and the rights of handlers
// (rights.pml).
//
// Depth: 4,000,000
// Breaks: running_first slots_before_top keep_register move_early
//  unlock_early no_window_shootdown moved_looked_at_first arrive_below_next

#define CPUS 2
#define THREADS 4
#define ROAMER 2
#define HOLDER 3

// Where the next bracket of a thread goes: with none open, and with one. HANDLER
// is a CPU's first handler slots.
#define TOP(thread, open) (2 * (thread) + (open))
#define HANDLER 15

#define PKRS_CLOSED 0
#define RIGHTS(top)                                                            \
    (((top) == TOP(ROAMER, 1) || (top) == TOP(HOLDER, 1)) -> (top) : PKRS_CLOSED)

// percpu
byte IA32_PKRS[CPUS];       // the bracket that it opens, if any
byte bracket_top[CPUS];
bit handler_next[CPUS];     // 1: the first slots are taken
byte interrupted[CPUS];     // in the first slots' sentinel
bit trap_level[CPUS];
byte window[CPUS];          // whose
byte current[CPUS];         // percpu.thread

// struct mm_context, struct thread
byte top[THREADS];
bit running[THREADS];
bit in_trap[THREADS];
byte ready_on[THREADS];     // the queue that it is in: CPU + 1, 0: none
byte frame_rights[THREADS]; // struct trap_frame, of one that was preempted
byte frame_top[THREADS];
bit queue_lock[CPUS];

// ROAMER's window, which has room for one part: its entry, whether the part is
// taken, whether it was open on other CPUs too, and on which.
bit entry;
bit window_next;
bit window_moved;
byte window_cpus;
byte context_cpu; // where ROAMER was switched out with a bracket open

// Not in the code: what TLBs remember of the entry, who is on which stack (CPU +
// 1), whether the CPU executes the thread's own code, and whether ROAMER is
// between two calls.
bit tlb[CPUS];
byte on_stack[THREADS];
bit own_code[CPUS];
bit calm = true;

#define MASK(cpu) (1 << (cpu))

// ----------------------------------------------------------------- The rules

// The chain from a CPU's top ends here.
#define CHAIN(cpu)                                                             \
    (bracket_top[cpu] == HANDLER -> interrupted[cpu] : bracket_top[cpu])

// Only with its own window can a bracket with a part in it be read.
#define ON_CPU(thread) (CHAIN(cpu) == TOP(thread, 1) && window[cpu] == thread)
#define WAITS(thread) (!running[thread] && top[thread] == TOP(thread, 1))
#define finds(thread) (ON_CPU(thread) || WAITS(thread))
#define nmi_slots (handler_next[cpu] == 1 || bracket_top[cpu] != HANDLER)

// `was_open` are those of the two threads that have a bracket, as TOP().
#define STEP(what)                                                             \
    d_step                                                                     \
    {                                                                          \
        what;                                                                  \
        assert(nmi_slots);                                                     \
        assert(from_open == 0 || finds(from));                                 \
        assert(to_open == 0 || finds(to))                                      \
    }

// ----------------------------------------------------------------- The switch

inline invalidate(cpu_)
{
    tlb[cpu_] = 0
}

// local_window_arrive(), if need be. The part may be given back and not yet be
// forgotten elsewhere.
#ifdef BREAK_arrive_below_next
#define WINDOW_USED window_next
#else
#define WINDOW_USED (window_next || window_moved)
#endif
inline window_arrive()
{
    if
    :: to == ROAMER && to_open && context_cpu != cpu && WINDOW_USED ->
        d_step
        {
            window_cpus = window_cpus | MASK(context_cpu);
            window_moved = true;
            invalidate(cpu)
        }
    :: else
    fi
}

inline mm_context_switch()
{
    rights = RIGHTS(bracket_top[cpu]);
    STEP(top[from] = CHAIN(cpu);
         context_cpu = (from == ROAMER && from_open -> cpu : context_cpu));
#ifndef BREAK_no_window_shootdown
    window_arrive();
#endif
#ifdef BREAK_running_first
    STEP(running[from] = false);
    STEP(running[to] = true);
    STEP(window[cpu] = to);
#else
    STEP(running[from] = false);
    STEP(window[cpu] = to);
#endif
    if
    :: !in_trap[to] ->
#ifdef BREAK_slots_before_top
        STEP(handler_next[cpu] = 0);
        STEP(bracket_top[cpu] = top[to]);
#else
        STEP(bracket_top[cpu] = top[to]);
        STEP(handler_next[cpu] = 0);
#endif
        STEP(trap_level[cpu] = 0)
    :: else ->
        STEP(trap_level[cpu] = 1);
        STEP(handler_next[cpu] = 1);
        STEP(interrupted[cpu] = top[to]);
        STEP(bracket_top[cpu] = HANDLER)
    fi;
#ifndef BREAK_running_first
    STEP(running[to] = true);
#endif
#ifndef BREAK_keep_register
    if
    :: RIGHTS(bracket_top[cpu]) != rights ->
        STEP(IA32_PKRS[cpu] = RIGHTS(bracket_top[cpu]))
    :: else
    fi;
#endif
    rights = 0
}

// The queue's lock is held. `moves`: sched_move(), `from` is leaving.
inline switch_locked()
{
    d_step
    {
        in_trap[from] = trap_level[cpu];
        from_open = (CHAIN(cpu) == TOP(from, 1));
        to_open = (top[to] == TOP(to, 1))
    };
#ifdef BREAK_move_early
    if
    :: moves -> ready_on[from] = 2 - cpu; moves = false
    :: else
    fi;
#endif
    mm_context_switch();
    d_step
    {
        current[cpu] = to;
        from_open = 0;
        to_open = 0;
        top[to] = 0; // nobody reads these now
        in_trap[to] = false;
        interrupted[cpu] = (trap_level[cpu] -> interrupted[cpu] : 0)
    };
#ifdef BREAK_unlock_early
    queue_lock[cpu] = false;
#endif
    // context_switch()
    d_step
    {
        assert(on_stack[to] == 0);
        on_stack[from] = 0;
        on_stack[to] = cpu + 1
    };
    // switch_finish(), on the other's stack; one that leaves is put on its queue
    // by the idle thread.
    queue_lock[cpu] = false;
    if
    :: moves ->
        atomic { !queue_lock[1 - cpu] -> ready_on[from] = 2 - cpu; moves = false }
    :: else
    fi
}

// ------------------------------------------------------------------- The CPUs

#define READY_HERE(thread) (ready_on[thread] == cpu + 1)

// A thread of this queue; the idle thread, for one that is leaving.
inline queue_take_locked()
{
    if
    :: moves -> to = cpu
    :: !moves && READY_HERE(ROAMER) -> to = ROAMER
    :: !moves && READY_HERE(HOLDER) -> to = HOLDER
    :: else -> to = from
    fi;
    if
    :: to != from -> ready_on[to] = 0
    :: else
    fi
}

// What runs gives way, preempted or by itself; then it may ask to be moved.
inline give_way(by_itself)
{
    atomic { !queue_lock[cpu] -> queue_lock[cpu] = true; from = current[cpu] };
    if
    :: by_itself && from == ROAMER -> moves = true
    :: moves = false
    fi;
    atomic
    {
        queue_take_locked();
        if
        :: to == from || moves || from == cpu
        :: else -> ready_on[from] = cpu + 1
        fi
    };
    if
    :: to == from -> atomic { queue_lock[cpu] = false; moves = false }
    :: else -> switch_locked()
    fi;
    atomic { from = 0; to = 0 }
}

// An idle CPU takes a thread out of the other queue, into its own.
inline steal()
{
    atomic
    {
        own_code[cpu] && current[cpu] == cpu && !queue_lock[1 - cpu] &&
            ready_on[ROAMER] == 2 - cpu ->
        ready_on[ROAMER] = cpu + 1
    }
}

// PUSH_BRACKETS and what is behind it, POP_BRACKETS: rights.pml has the steps.
inline trap_entry()
{
    frame_rights[current[cpu]] = IA32_PKRS[cpu];
    frame_top[current[cpu]] = bracket_top[cpu];
    interrupted[cpu] = bracket_top[cpu];
    handler_next[cpu] = 1;
    bracket_top[cpu] = HANDLER;
    trap_level[cpu] = 1;
    IA32_PKRS[cpu] = PKRS_CLOSED
}

inline trap_exit()
{
    IA32_PKRS[cpu] = frame_rights[current[cpu]];
    bracket_top[cpu] = frame_top[current[cpu]];
    frame_rights[current[cpu]] = 0;
    frame_top[current[cpu]] = 0;
    interrupted[cpu] = 0;
    handler_next[cpu] = 0;
    trap_level[cpu] = 0
}

// Back in a thread's code, or at the end of the handler that preempted it.
inline thread_goes_on()
{
    d_step
    {
        if
        :: trap_level[cpu] == 1 -> trap_exit()
        :: else
        fi;
        assert(on_stack[current[cpu]] == cpu + 1);
        assert(handler_next[cpu] == 0 && running[current[cpu]]);
        assert(window[cpu] == current[cpu]);
        assert(current[cpu] != ROAMER || window_next || tlb[cpu] == 0);
        // Its own brackets, and nobody else's rights.
        assert(bracket_top[cpu] / 2 == current[cpu]);
        assert(IA32_PKRS[cpu] == PKRS_CLOSED ||
               IA32_PKRS[cpu] == TOP(current[cpu], 1));
        assert(current[cpu] != HOLDER || IA32_PKRS[cpu] == TOP(HOLDER, 1));
        own_code[cpu] = true
    }
}

proctype cpu_runs(byte cpu)
{
    byte from, to, rights;
    bit moves, from_open, to_open;

    do
    :: atomic { own_code[cpu] -> own_code[cpu] = false; trap_entry() };
        give_way(false); // sched_preempt()
        thread_goes_on()
    :: atomic { own_code[cpu] && (current[cpu] != ROAMER || calm) ->
                own_code[cpu] = false };
        give_way(true); // thread_yield()
        thread_goes_on()
    :: steal()
    od
}

// ----------------------------------------------------------------- The window

#define RUNS_ON(cpu) (current[cpu] == ROAMER && own_code[cpu])
#define HERE (RUNS_ON(1) -> 1 : 0)

// A handler on this CPU may take the room.
#define ROOM_IS_FREE(cpu) assert(window_next || tlb[cpu] == 0)

// kmap_local_pages(), accesses, kunmap_local().
proctype roamer() provided(RUNS_ON(0) || RUNS_ON(1))
{
    bit moved;

    do
    :: calm = false;
        window_next = true; // local_window_take()
        atomic { bracket_top[HERE] = TOP(ROAMER, 1); IA32_PKRS[HERE] = TOP(ROAMER, 1) };
        entry = true;       // local_window_set()
        calm = true;
        do
        :: d_step // an access
            {
                assert(IA32_PKRS[HERE] == TOP(ROAMER, 1));
                tlb[HERE] = (tlb[HERE] == 0 -> entry : tlb[HERE]);
                assert(tlb[HERE] == entry)
            }
        :: break
        od;
        calm = false;
#ifdef BREAK_moved_looked_at_first
        moved = window_moved;
#endif
        entry = false; // local_window_clear()
        invalidate(HERE);
        d_step { window_next = false; ROOM_IS_FREE(HERE) };
#ifndef BREAK_no_window_shootdown
#ifndef BREAK_moved_looked_at_first
        moved = window_moved; // local_window_forget_moved()
#endif
        if
        :: moved ->
            d_step // local_window_forget(), with interrupts off
            {
                invalidate(HERE);
                tlb[0] = ((window_cpus & MASK(0)) -> 0 : tlb[0]);
                tlb[1] = ((window_cpus & MASK(1)) -> 0 : tlb[1]);
                window_moved = false;
                window_cpus = 0
            }
        :: else
        fi;
#endif
        d_step { moved = false; ROOM_IS_FREE(0); ROOM_IS_FREE(1) };
        atomic { IA32_PKRS[HERE] = PKRS_CLOSED; bracket_top[HERE] = TOP(ROAMER, 0) };
        calm = true
    od
}

init
{
    d_step
    {
        bracket_top[0] = TOP(0, 0);
        bracket_top[1] = TOP(1, 0);
        window[0] = 0;
        window[1] = 1;
        current[0] = 0;
        current[1] = 1;
        running[0] = true;
        running[1] = true;
        on_stack[0] = 1;
        on_stack[1] = 2;
        top[ROAMER] = TOP(ROAMER, 0);
        top[HOLDER] = TOP(HOLDER, 1);
        ready_on[ROAMER] = 1;
        ready_on[HOLDER] = 1;
        own_code[0] = true;
        own_code[1] = true
    };
    atomic { run cpu_runs(0); run cpu_runs(1); run roamer() }
}
