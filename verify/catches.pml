// SPDX-License-Identifier: MIT
//
// One CPU: code that is abandoned (catch_throw() in kernel/catch.c,
// brackets_abandon() in mm/bracket_report.c), by the thread itself, or by the
// handler of an NMI at every instruction boundary of it. The NMI may open a
// bracket first, and take a key for it. The rules are those of rights.pml.
//
// Left out beside what rights.pml leaves out: a handler that throws past code
// which has closed brackets of its caller and may be half-way through the next
// map call (break throw_past_reopened): the slot's word is of a bracket of the
// past then.
//
// Depth: 1,000,000
// Breaks: abandon_top_first abandon_frame_rights abandon_entries_first
//  throw_past_reopened

#include "brackets.pml"
#include "traps.pml"

inline catch_enter()
{
    d_step
    {
        catch_valid = true;
        catch_top = bracket_top;
        catch_rights = slot[bracket_top - 1].rights;
        catch_next = handler_next;
        catch_lowered = false
    }
}

inline catch_forget()
{
    catch_valid = false;
    catch_top = 0;
    catch_rights = 0;
    catch_next = 0;
    catch_lowered = false
}

inline entries_clear(from)
{
    if
    :: from <= 1 -> slot[1].entry = 0
    :: else
    fi;
    if
    :: from <= 2 -> slot[2].entry = 0
    :: else
    fi;
    slot[4].entry = 0
}

// From any context into the thread's frame: catch_throw(). A bracket below the
// frame may have been closed since; it stays closed.
inline catch_throw(c)
{
    d_step
    {
        at = (catch_top < top[THREAD] -> catch_top : top[THREAD]);
#ifdef BREAK_abandon_frame_rights
        eax = (catch_top <= top[THREAD] -> catch_rights : slot[at - 1].rights);
#else
        // Of a bracket that is half open or half closed, too: its word opens no
        // more than it gives, but for the tables.
        eax = slot[at - 1].rights | WINDOW_WRITE;
#endif
        catch_valid = false
    };
    // bracket_abandon() of each, with the tables open. Their keys close first:
    // without its entry in the window a bracket does not keep its key.
#if !defined(BREAK_abandon_entries_first) && !defined(BREAK_abandon_top_first)
    STEP(register_of = THREAD; tables_open[THREAD] = true;
         IA32_PKRS = eax & ~WINDOW_WRITE);
#endif
    STEP(entries_clear(at));
#ifdef BREAK_abandon_top_first
    STEP(bracket_top = at; top[THREAD] = at);
    STEP(slot[at - 1].rights = eax);
    STEP(IA32_PKRS = eax; register_of = THREAD; tables_open[THREAD] = false);
#else
    // The rights first, while the brackets of all that is abandoned are below
    // the top; as on the way out of a trap.
    STEP(IA32_PKRS = eax; register_of = THREAD; tables_open[THREAD] = false);
    STEP(bracket_top = at; top[THREAD] = at);
    STEP(slot[at - 1].rights = eax);
#endif
    STEP(handler_next = catch_next);
    // catch_resume()
    d_step
    {
        assert(bracket_top == at && handler_next == catch_next);
        assert(IA32_PKRS == slot[at - 1].rights);
        if
        :: at <= 1 -> slot_forget(1)
        :: else
        fi;
        if
        :: at <= 2 -> slot_forget(2)
        :: else
        fi;
        handler_forget(3);
        catch_forget();
        context = THREAD;
        thread_thrown = (c != THREAD);
        eax = 0;
        at = 0
    }
}


#define MAP_LOCALS                                                             \
    byte at, eax, keep, open, victim, walk;                                    \
    bit got, busy

inline map_any(c)
{
    if
    :: map_page(c, A, 0, DOMAIN_READ)
    :: map_page(c, B, 1, DOMAIN_WRITE)
    :: map_pages(c, A, 1)
    fi
}

// Code inside the memory manager's lock is not abandoned, but a panic.
#define THROWS (catch_valid && !mm_spinlock)
#ifdef BREAK_throw_past_reopened
#define HANDLER_THROWS THROWS
#else
#define HANDLER_THROWS (THROWS && !catch_lowered)
#endif

proctype thread() provided(context == THREAD)
{
    MAP_LOCALS;
again:
    {
        do
        :: bracket_top < 1 + BRACKETS_MAX -> map_any(THREAD)
        :: bracket_top > 1 -> unmap(THREAD)
        :: !catch_valid -> catch_enter()
        :: catch_valid -> d_step { catch_forget() } // catch_leave()
        :: THROWS -> catch_throw(THREAD)
        od
    }
    unless
    {
        d_step
        {
            thread_thrown -> thread_thrown = false;
            at = 0; eax = 0; keep = 0; open = 0;
            victim = 0; walk = 0; got = false; busy = false
        }
    };
    goto again
}

// All of it is one step for the thread.
proctype nmi()
{
    MAP_LOCALS;
    TRAP_LOCALS;
again:
    atomic
    {
        trap_begin(NMI);
        trap_entry(NMI);
        if
        :: skip
        :: map_any(NMI);
            if
            :: HANDLER_THROWS
            :: unmap(NMI)
            fi
        fi;
        if
        :: bracket_top == base[NMI] + 1 -> trap_exit(NMI)
        :: HANDLER_THROWS ->
            catch_throw(NMI);
            d_step { trap_forget(NMI) }
        fi;
        goto again
    }
}

init
{
    start();
    atomic
    {
        run thread();
        run nmi()
    }
}
