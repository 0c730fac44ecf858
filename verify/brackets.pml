// SPDX-License-Identifier: MIT
//
// Brackets and keys of one CPU, and the rules. Included by rights.pml and
// catches.pml.

#define THREAD 0
#define INTERRUPT 1
#define NMI 2

// Domains. Nobody is 0.
#define A 1
#define B 2

// IA32_PKRS: two bits a key. KEY is the one to lend, CLOSED is never opened.
#define PKRS_AD_KEY 1
#define PKRS_WD_KEY 2
#define PKRS_AD_TABLES 4
#define WINDOW_WRITE 12
#define PKRS_AD_WINDOW 16
#define PKRS_WD_WINDOW 32
#define PKRS_CLOSED 127
#define OF_KEY(w) ((w) -> (PKRS_AD_KEY | PKRS_WD_KEY) : PKRS_AD_KEY)
#define OF_WINDOW (PKRS_AD_WINDOW | PKRS_WD_WINDOW)

#define KEY 1
#define KEY_WINDOW 2

// In a bracket's address: the domain of its frame. BRACKET_SPECIAL is set here
// where the code clears it.
#define BRACKET_NOBODY 0
#define BRACKET_SPECIAL 4

#define BRACKETS_MAX 2
#define BRACKET_LEVEL_SLOTS 3 // a sentinel and the brackets

typedef bracket {
    byte rights;
    byte address;
    byte interrupted; // in the sentinel of a handler
    byte entry;       // domain that its entry of the window maps, 0: none
    // Not in the code: what the bracket is meant to give.
    byte domain;
    byte gives; // bits of IA32_PKRS: of the key, if its domain has it
};

typedef domain_rights {
    byte open;
    byte keep;
};

// The thread's slots and those of handlers, one level behind the other.
bracket slot[12];

byte IA32_PKRS = PKRS_CLOSED;
byte bracket_top = 1;  // percpu
byte handler_next = 3; // percpu

// domain_write_ and domain_read_, one behind the other.
#define DOMAIN_WRITE 0
#define DOMAIN_READ 3
domain_rights rights_of[6];
byte domain_key[3]; // 0: parked
byte leaf_key[3];   // of the domain's leaves in the direct map, 0: KEY_CLOSED
byte owners;        // who has KEY, 0: nobody
bit mm_spinlock;
bit interrupts_off;

// catch_frame of the thread
bit catch_valid;
byte catch_top, catch_rights, catch_next;
bit catch_lowered; // not in the code: brackets below catch_top were closed

// Not in the code. Who runs, whose rights the register has, where the slots of
// each context are, and whether it writes page tables.
byte context = THREAD;
byte register_of = THREAD;
byte base[3];
byte top[3] = {1, 0, 0};
bit tables_open[3];
bit thread_thrown;

// ----------------------------------------------------------------- The rules

// What the bracket at a slot gives. Numbers that are no part of a state.
hidden byte first_of, given;
#define GIVES(at)                                                              \
    ((at) < top[register_of]                                                   \
         -> slot[at].gives & (slot[at].domain == owners -> 255 : OF_WINDOW)    \
         : 0)

inline rules()
{
    first_of = base[register_of] + 1;
    given = GIVES(first_of) | GIVES(first_of + 1);
    given = given | (tables_open[register_of] -> WINDOW_WRITE : 0);
    assert(!(~IA32_PKRS & PKRS_CLOSED & ~given))
}

#define STEP(what)                                                             \
    d_step                                                                     \
    {                                                                          \
        what;                                                                  \
        rules()                                                                \
    }

#define WRMSR(value) STEP(IA32_PKRS = value)

// ---------------------------------------------------------------------- Keys

// brackets_busy_keys(): the brackets of this context and, by its sentinel, of
// those that it interrupted.
#define HOLDS(at, d)                                                           \
    ((slot[at].address & BRACKET_SPECIAL) -> (slot[at].entry == d)             \
                                          : (slot[at].address == d))
inline brackets_busy_keys(d)
{
    busy = false;
    walk = bracket_top;
    do
    :: slot[walk - 1].address != BRACKET_NOBODY ->
        if
        :: HOLDS(walk - 1, d) -> busy = true
        :: else
        fi;
        walk--
    :: else ->
        if
        :: walk - 1 == 0 -> break
        :: else -> walk = slot[walk - 1].interrupted
        fi
    od;
    walk = 0
}

inline entry_set(table, d, bits)
{
    STEP(rights_of[table + d].keep = 0);
    STEP(rights_of[table + d].open = (bits -> bits : 255));
    STEP(rights_of[table + d].keep = (bits -> (PKRS_CLOSED & ~(bits)) : 0))
}

inline domain_rights_set(d, write, read)
{
    entry_set(DOMAIN_WRITE, d, write);
    entry_set(DOMAIN_READ, d, read)
}

inline key_take_locked(d)
{
#ifndef BREAK_take_rights_last
    domain_rights_set(d, 0, 0);
#endif
    STEP(domain_key[d] = 0);
    STEP(leaf_key[d] = 0);
    STEP(owners = 0);
#ifdef BREAK_take_rights_last
    domain_rights_set(d, 0, 0);
#endif
}

inline key_give_locked(d)
{
    STEP(owners = d);
#ifdef BREAK_give_rights_first
    domain_rights_set(d, PKRS_AD_KEY | PKRS_WD_KEY, PKRS_AD_KEY);
#endif
    STEP(leaf_key[d] = KEY);
    STEP(domain_key[d] = KEY);
#ifndef BREAK_give_rights_first
    domain_rights_set(d, PKRS_AD_KEY | PKRS_WD_KEY, PKRS_AD_KEY);
#endif
}

// Sets `got`. In a handler the lock may be held by what was interrupted.
inline key_get(c, d)
{
    got = false;
    if
    :: c != THREAD && mm_spinlock
    :: else ->
        STEP(mm_spinlock = 1; interrupts_off = (c == THREAD));
        if
        :: domain_key[d] != 0 -> got = true
        :: else ->
            // key_find_locked(). One step: whoever comes between cannot take
            // the lock, and leaves every bracket as it was.
            d_step
            {
                victim = owners;
                busy = false;
                if
                :: victim != 0 -> brackets_busy_keys(victim)
                :: else
                fi
            };
            if
            :: busy
            :: else ->
                if
                :: victim != 0 -> key_take_locked(victim)
                :: else
                fi;
                key_give_locked(d);
                got = true
            fi
        fi;
        STEP(mm_spinlock = 0; interrupts_off = 0)
    fi;
    d_step { victim = 0; busy = false }
}

// ------------------------------------------------------------------ Map calls

#define RIGHTS_KEY(rights, w)                                                  \
    ((rights) & ~((w) -> (PKRS_AD_KEY | PKRS_WD_KEY) : PKRS_AD_KEY))
#define RIGHTS_WINDOW(rights, w)                                               \
    ((rights) & ~((w) -> (PKRS_AD_WINDOW | PKRS_WD_WINDOW) : PKRS_AD_WINDOW))

// The word, then the register.
inline pks_change_rights(bracket_, value)
{
    STEP(slot[bracket_].rights = value);
    WRMSR(value)
}

inline slot_raise(c)
{
    STEP(bracket_top = bracket_top + 1; top[c] = bracket_top)
}

inline window_open_frames(c, d, w)
{
    STEP(tables_open[c] = true);
    pks_change_rights(at, slot[at - 1].rights & ~WINDOW_WRITE);
    STEP(slot[at].entry = d);
    STEP(slot[at].gives = (w -> OF_WINDOW : PKRS_AD_WINDOW));
    eax = RIGHTS_WINDOW(slot[at - 1].rights, w);
    pks_change_rights(at, eax);
    STEP(tables_open[c] = false);
    STEP(slot[at].address = d | BRACKET_SPECIAL)
}

inline bracket_map_slow(c, d, w)
{
    STEP(slot[at].rights = slot[at - 1].rights);
    key_get(c, d);
    if
    :: got ->
        eax = RIGHTS_KEY(slot[at].rights, w);
        if
        :: eax != slot[at].rights -> pks_change_rights(at, eax)
        :: else
        fi
    :: else -> window_open_frames(c, d, w)
    fi;
    d_step { got = false; eax = slot[at].rights }
}

// kmap_local_page() or its _ro form: BRACKET_MAP_.
inline map_page(c, d, w, table)
{
    d_step {
        at = bracket_top;
        slot[at].domain = d;
        slot[at].gives = OF_KEY(w)
    };
#ifdef BREAK_read_key_before_top
    eax = rights_of[table + d].open;
    d_step { keep = rights_of[table + d].keep; open = eax };
#endif
    STEP(slot[at].address = d);
#ifndef BREAK_top_last
    slot_raise(c);
#endif
    eax = slot[at - 1].rights;
#ifdef BREAK_read_key_before_top
    if
    :: eax & open ->
        eax = eax & keep;
#else
    if
    :: eax & rights_of[table + d].open ->
        eax = eax & rights_of[table + d].keep;
#endif
        if
        :: eax != 0 -> WRMSR(eax)
        :: else -> bracket_map_slow(c, d, w)
        fi
    :: else
    fi;
    STEP(slot[at].rights = eax);
#ifdef BREAK_top_last
    slot_raise(c);
#endif
    map_done(c, d, w)
}

// kmap_local_pages() or its _ro form: pages_open().
inline map_pages(c, d, w)
{
    d_step {
        at = bracket_top;
        slot[at].domain = d;
        slot[at].gives = OF_KEY(w)
    };
    // slot_fill()
    STEP(slot[at].address = d);
    STEP(slot[at].rights = slot[at - 1].rights);
    slot_raise(c);
    got = (domain_key[d] != 0);
    if
    :: !got -> key_get(c, d)
    :: else
    fi;
    if
    :: got ->
        STEP(tables_open[c] = true);
        pks_change_rights(at, slot[at - 1].rights & ~WINDOW_WRITE);
        STEP(slot[at].entry = d);
        eax = RIGHTS_KEY(slot[at - 1].rights, w);
        pks_change_rights(at, eax);
        STEP(tables_open[c] = false);
        STEP(slot[at].address = d | BRACKET_SPECIAL)
    :: else -> window_open_frames(c, d, w)
    fi;
    got = false;
    map_done(c, d, w)
}

// Rule 7, and the word is what the register has.
inline map_done(c, d, w)
{
    d_step
    {
        assert(context == c && bracket_top == at + 1);
        assert(IA32_PKRS == slot[at].rights);
        assert((slot[at].address & BRACKET_SPECIAL) -> (slot[at].entry == d)
                                                    : (leaf_key[d] == KEY));
        assert(!(IA32_PKRS & slot[at].gives));
        eax = 0;
        at = 0
    }
}

// -------------------------------------------------------------------- Unmap

// Above the top nobody reads; what is left there is the worst that could be.
inline slot_forget(which)
{
    slot[which].rights = 0;
    slot[which].address = 0;
    slot[which].entry = 0;
    slot[which].domain = 0;
    slot[which].gives = 0;
    slot[which].interrupted = 0
}

inline slot_lower(c)
{
    STEP(bracket_top = bracket_top - 1; top[c] = bracket_top;
         slot_forget(bracket_top);
         catch_lowered = catch_lowered || (c == THREAD && bracket_top < catch_top))
}

// kunmap_local() of the innermost bracket: BRACKET_UNMAP_.
inline unmap(c)
{
    at = bracket_top - 1;
    if
    :: slot[at].address & BRACKET_SPECIAL -> bracket_unmap_slow(c)
    :: else ->
#ifdef BREAK_unmap_top_first
        slot_lower(c);
#endif
        eax = slot[at - 1].rights;
        if
        :: eax != slot[at].rights -> WRMSR(eax)
        :: else
        fi;
#ifndef BREAK_unmap_top_first
        slot_lower(c)
#endif
    fi;
    d_step
    {
        assert(context == c && IA32_PKRS == slot[bracket_top - 1].rights);
        eax = 0;
        at = 0
    }
}

// The domain's key closes with the write that opens the tables. While its entry
// is there the domain counts as open; without it, it must not be.
inline bracket_unmap_slow(c)
{
    STEP(tables_open[c] = true);
#ifdef BREAK_unmap_slow_keeps_key
    pks_change_rights(at, slot[at].rights & ~WINDOW_WRITE);
#else
    pks_change_rights(at, slot[at - 1].rights & ~WINDOW_WRITE);
#endif
    STEP(slot[at].entry = 0); // local_window_clear()
    pks_change_rights(at, slot[at - 1].rights);
    STEP(tables_open[c] = false);
    slot_lower(c)
}

inline handler_forget(first)
{
    slot_forget(first);
    slot_forget(first + 1);
    slot_forget(first + 2)
}

inline start()
{
    d_step
    {
        slot[0].rights = PKRS_CLOSED;
        rights_of[DOMAIN_WRITE + A].open = 255;
        rights_of[DOMAIN_READ + A].open = 255;
        rights_of[DOMAIN_WRITE + B].open = 255;
        rights_of[DOMAIN_READ + B].open = 255
    }
}
