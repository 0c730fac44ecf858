// SPDX-License-Identifier: MIT
//
// Shootdown: translations that other CPUs remember (arch/tlb.c).
//
// Three CPUs. CPU 0 unmaps a page of vmap() under mm_lock; CPU 1 unmaps a part
// of its thread's window, without that lock, or takes the lock for something
// else, with interrupts off; CPU 2 does that too. Each may idle. Interrupts and
// NMIs come between any two steps, and use what is mapped.
//
// Holds: when tlb_shootdown_*() has returned, no CPU uses the old translation,
// whatever it runs; and nobody waits for ever.
//
// A TLB remembers a page as soon as it is mapped, and until it has to forget
// it: the more it remembers, the worse. So there is nothing to choose, and an
// access is a look at what the TLB has.
//
// Breaks: wake_forgets no_poll answer_first request_shared mark_in_two
//  no_fence nmi_shoots

#define CPUS 3
#ifndef WORK
#define WORK 2
#endif
#ifndef NMIS
#define NMIS 1
#endif
#define DEVICES 1
#define PAGES 2

// Which of two frames, in turn, the page's entry has, and what each CPU
// remembers of it; 0: nothing. `gone` is the frame that was taken out, once
// nobody may reach it any more.
typedef pages { byte page[PAGES] };
byte entry[PAGES] = 1;
byte gone[PAGES];
pages tlb[CPUS];
byte work = WORK; // how much may be begun yet

byte request_page; // of the request in arch/tlb.c
bit mm_spinlock;

#define stores_seen(cpu) true
#define NMI_COMES(cpu) true

inline flush_all(cpu)
{
    d_step { tlb[cpu].page[0] = entry[0]; tlb[cpu].page[1] = entry[1] }
}

inline flush_requested(cpu)
{
    tlb[cpu].page[request_page] = entry[request_page]
}

inline request_fill(what)
{
    request_page = what
}

#include "tlb.pml"

// Accesses to both pages, as far as something maps them.
inline use(cpu)
{
    d_step
    {
        assert(tlb[cpu].page[0] == 0 || tlb[cpu].page[0] != gone[0]);
        assert(tlb[cpu].page[1] == 0 || tlb[cpu].page[1] != gone[1])
    }
}

#define REMEMBER(cpu)                                                          \
    tlb[cpu].page[page] = (tlb[cpu].page[page] == 0 -> was : tlb[cpu].page[page])

// vunmap() and the next vmap() of the same address, or the same in a window.
inline unmap_and_map(cpu, which)
{
    d_step // the entry, and then this CPU's TLB: others look at neither
    {
        page = which;
        was = entry[page];
        entry[page] = 0;
        tlb[cpu].page[page] = 0 // long_maps_flush(), local_window_clear()
    };
    shoot(cpu, page);
    gone[page] = was;
    d_step
    {
        was = 3 - was;
        entry[page] = was;
        REMEMBER(0);
        REMEMBER(1);
        REMEMBER(2);
        was = 0;
        page = 0
    }
}

// Page 0 is vmap()'s, page 1 in the window of a thread on CPU 1.
#define BEGINS(condition)                                                      \
    atomic { (condition) && work > 0 -> work--; interrupts_off[_pid] = true }

active [CPUS] proctype thread() provided(THREAD_RUNS)
{
    TLB_LOCALS;
    byte page, was;

    do
    :: BEGINS(_pid == 0); // vunmap()
        spin_lock(_pid, mm_spinlock);
        unmap_and_map(_pid, 0);
        atomic { mm_spinlock = false; interrupts_off[_pid] = false }
    :: BEGINS(_pid == 1); // kunmap_local()
        unmap_and_map(_pid, 1);
        interrupts_off[_pid] = false
    :: BEGINS(_pid != 0); // alloc_pages() and the like
        spin_lock(_pid, mm_spinlock);
        use(_pid);
        atomic { mm_spinlock = false; interrupts_off[_pid] = false }
    :: idle(_pid);
        use(_pid)
    od
}

active [CPUS] proctype interrupt() provided(INTERRUPT_RUNS)
{
    byte old;
    bit flush_here;

end:
    do
    :: interrupt_taken(_pid - CPUS);
        wake_if_lazy(_pid - CPUS, false);
        if
        :: flush_here -> tlb_serve(_pid - CPUS)
        :: else -> use(_pid - CPUS)
        fi;
        d_step { interrupt_over(_pid - CPUS) }
    od
}

active [CPUS] proctype nmi()
{
    byte old;

end:
    do
    :: nmi_taken(_pid - 2 * CPUS);
        wake_if_lazy(_pid - 2 * CPUS, true);
        use(_pid - 2 * CPUS);
#ifdef BREAK_nmi_shoots
        request_lock == 0; // spin_lock()
#endif
        d_step { nmi_over(_pid - 2 * CPUS) }
    od
}
