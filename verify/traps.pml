// SPDX-License-Identifier: MIT
//
// The first and last instructions of a trap (arch/trap_entry.asm). Included by
// rights.pml and catches.pml.

// What must be the same when the trap is over.
#define TRAP_LOCALS                                                            \
    byte frame_rights, frame_top, rax;                                         \
    byte was_context, was_register, was_register_of, was_top, was_next, was_word

inline trap_begin(c)
{
    was_context = context;
    was_register = IA32_PKRS;
    was_register_of = register_of;
    was_top = bracket_top;
    was_next = handler_next;
    was_word = slot[bracket_top - 1].rights;
    context = c
}

// trap_entry_pks, to the call of trap_handle().
inline trap_entry(c)
{
    frame_rights = IA32_PKRS; // RDMSR
#ifdef BREAK_entry_trusts_word
    frame_rights = slot[bracket_top - 1].rights;
#endif
    frame_top = bracket_top; // PUSH_BRACKETS
    rax = handler_next;
#ifdef BREAK_slots_filled_first
    STEP(slot[rax].interrupted = frame_top);
    STEP(slot[rax].rights = PKRS_CLOSED);
    STEP(handler_next = handler_next + BRACKET_LEVEL_SLOTS);
#else
    STEP(handler_next = handler_next + BRACKET_LEVEL_SLOTS);
    STEP(slot[rax].interrupted = frame_top);
#ifdef BREAK_entry_keeps_word
    STEP(slot[rax].rights = slot[frame_top - 1].rights);
#else
    STEP(slot[rax].rights = PKRS_CLOSED);
#endif
#endif
    STEP(base[c] = rax; bracket_top = rax + 1; top[c] = bracket_top);
    if
    :: frame_rights != PKRS_CLOSED ->
        STEP(IA32_PKRS = PKRS_CLOSED; register_of = c)
    :: else -> STEP(register_of = c)
    fi;
    d_step
    {
        rax = 0;
        // Rule 4: a handler starts with every key closed.
        assert(IA32_PKRS == PKRS_CLOSED);
        assert(slot[bracket_top - 1].rights == PKRS_CLOSED)
    }
}

// Behind it. The comparison is with the word of this handler.
inline trap_exit(c)
{
    if
    :: frame_rights != slot[bracket_top - 1].rights ->
        STEP(IA32_PKRS = frame_rights; register_of = was_register_of)
    :: else -> STEP(register_of = was_register_of)
    fi;
#ifdef BREAK_exit_next_first
    STEP(handler_next = handler_next - BRACKET_LEVEL_SLOTS);
    STEP(bracket_top = frame_top);
#else
    STEP(bracket_top = frame_top); // POP_BRACKETS
    STEP(handler_next = handler_next - BRACKET_LEVEL_SLOTS);
#endif
    d_step
    {
        // Rules 3 and 4: as it was.
        assert(IA32_PKRS == was_register && register_of == was_register_of);
        assert(bracket_top == was_top && handler_next == was_next);
        assert(slot[bracket_top - 1].rights == was_word);
        context = was_context; // IRETQ
        handler_forget(handler_next);
        trap_forget(c)
    }
}

inline trap_forget(c)
{
    frame_rights = 0;
    frame_top = 0;
    rax = 0;
    was_context = 0;
    was_register = 0;
    was_register_of = 0;
    was_top = 0;
    was_next = 0;
    was_word = 0;
    base[c] = 0;
    top[c] = 0
}
