// SPDX-License-Identifier: MIT
//
// One CPU: a thread, an interrupt and an NMI, each at every instruction boundary
// of what it interrupts. Who may do what while brackets open and close, traps
// come and go, and keys change hands.
//
// Modelled, one step for each instruction that reads or writes shared state:
//   the hot paths           BRACKET_MAP_, BRACKET_UNMAP_      include/keyhole.h
//   their cold ends         bracket_map_slow, bracket_unmap_slow,
//                           pages_open                        mm/bracket_pages.c
//   keys                    key_get, key_take_locked,
//                           key_give_locked                   mm/keys.c
//   entry and exit of a trap   PUSH_BRACKETS, POP_BRACKETS,
//                           trap_entry_pks                    arch/trap_entry.asm
//
// There are two domains and one key to lend, so that keys change hands all the
// time. A thread has two brackets at most, a handler one; each is on one frame
// (to read, or to read and write) or on a list of one.
//
// Left out: counts, call sites, misuse; more than one frame; a full window;
// exceptions (an NMI comes at more places than any of them); abandoned code
// (catches.pml); what other CPUs do (keys.pml, switch.pml).
//
// Rules of the contract, section 3, which rules() checks after every step:
//   1, 2  the register opens nothing that no bracket of its context gives
//   3, 4  a handler starts closed; register, word, top and slots are as they
//         were when it returns
//   7     a map call ends with the right to its frame, whatever else is open
//   8     the tables are open only where they are written
//
// Depth: 1,000,000
// Breaks: take_rights_last give_rights_first read_key_before_top top_last
//  unmap_top_first unmap_slow_keeps_key entry_trusts_word slots_filled_first
//  entry_keeps_word exit_next_first

#include "brackets.pml"
#include "traps.pml"

#define MAP_LOCALS                                                             \
    byte at, eax, keep, open, victim, walk;                                    \
    bit got, busy

inline map_any(c)
{
    if
    :: map_page(c, A, 0, DOMAIN_READ)
    :: map_page(c, A, 1, DOMAIN_WRITE)
    :: map_page(c, B, 1, DOMAIN_WRITE)
    :: map_pages(c, A, 0)
    :: map_pages(c, B, 1)
    fi
}

proctype thread() provided(context == THREAD)
{
    MAP_LOCALS;

    do
    :: bracket_top < 1 + BRACKETS_MAX -> map_any(THREAD)
    :: bracket_top > 1 -> unmap(THREAD)
    od
}

proctype interrupt()
    provided(context == INTERRUPT || (context == THREAD && !interrupts_off))
{
    MAP_LOCALS;
    TRAP_LOCALS;

    do
    :: d_step { context == THREAD -> trap_begin(INTERRUPT) };
        trap_entry(INTERRUPT);
        map_any(INTERRUPT);
        unmap(INTERRUPT);
        trap_exit(INTERRUPT)
    od
}

// Nothing comes between the steps of an NMI's handler but exceptions, which do
// less: so all of it is one step for the others.
proctype nmi()
{
    MAP_LOCALS;
    TRAP_LOCALS;

    do
    :: atomic
        {
            trap_begin(NMI);
            trap_entry(NMI);
            map_any(NMI);
            unmap(NMI);
            trap_exit(NMI)
        }
    od
}

init
{
    start();
    atomic
    {
        run thread();
        run interrupt();
        run nmi()
    }
}
