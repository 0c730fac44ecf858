// SPDX-License-Identifier: MIT
//
// The readers of apps/store, who take no lock, and the writer: store_view_begin()
// in apps/store/view.c, publish() in commit.c, store_alloc_reclaim() in alloc.c.
// A view has the root of one generation, and the blocks of that tree say what
// they said when it was committed, until the view ends.
//
// A tree is one block here. A commit writes a new one, and lets go of that of the
// generation before. Stores to what others read are atomic and x86's: those that
// are SEQ_CST there are seen at once, and the others in order, so that one step
// for each access is enough. The state of a generation is two words of the ring:
// its block, and its generation.
//
// Breaks: look_before_slot reclaim_current reclaim_one_more
//  ring_not_checked ring_of_one_more current_first free_before_publish

#define VIEWS 2
#define RING 3          // STORE_RING
#define COMMITS 5
#define BLOCKS 4

byte current = 1;
byte ring_block[RING];
byte ring_generation[RING];
byte slot[VIEWS];       // what the view may see, 0: no view

byte written[BLOCKS];   // the generation that a block's content is of; 0: none
bit used[BLOCKS];       // by the current tree, or waiting in a batch
byte let_go[BLOCKS];    // by the commit of a generation; 0: not

#ifdef BREAK_ring_not_checked
#define RING_HOLDS(now, generation) true
#elif defined(BREAK_ring_of_one_more)
#define RING_HOLDS(now, generation) ((now) - (generation) < RING)
#else
#define RING_HOLDS(now, generation) ((now) - (generation) < RING - 1)
#endif

// ----------------------------------------------------------------- The writer

// Blocks that a commit let go of are free once nobody can see what was before.
inline reclaim()
{
    oldest = current;
    i = 0;
    do
    :: i < VIEWS ->
        // One look at each slot.
        d_step
        {
#ifndef BREAK_reclaim_current
            if
            :: slot[i] != 0 && slot[i] < oldest -> oldest = slot[i]
            :: else
            fi;
#endif
            i++
        }
    :: else -> break
    od;
    skip; // spin does not let a loop end in a d_step
    d_step
    {
#ifdef BREAK_reclaim_one_more
        oldest++;
#endif
        i = 0;
        do
        :: i < BLOCKS ->
            if
            :: let_go[i] != 0 && let_go[i] <= oldest ->
                let_go[i] = 0;
                used[i] = false
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0;
        oldest = 0
    }
}

proctype writer()
{
    byte i, oldest, next, block, before;

    do
    :: current < COMMITS ->
        reclaim();
        if
        :: !used[0] -> block = 0
        :: !used[1] -> block = 1
        :: !used[2] -> block = 2
        :: !used[3] -> block = 3
        // The store is full until a view ends.
        :: used[0] && used[1] && used[2] && used[3] -> goto no_room
        fi;
        // The transaction stores to its block before it has all it will have.
        d_step
        {
            used[block] = true;
            written[block] = 0;
            next = current + 1;
            before = ring_block[current % RING]
        };
        written[block] = next;
#ifdef BREAK_free_before_publish
        let_go[before] = current;
        reclaim();
#endif
#ifdef BREAK_current_first
        current = next;
#endif
        ring_block[next % RING] = block;
        ring_generation[next % RING] = next;
#ifndef BREAK_current_first
        current = next;
#endif
#ifndef BREAK_free_before_publish
        let_go[before] = next;
#endif
    no_room: skip;
        d_step
        {
            block = 0;
            before = 0;
            next = 0
        }
    :: else -> break
    od
}

// ----------------------------------------------------------------- The readers

proctype reader(byte own)
{
    byte now, generation, block, root_generation;

begin:
    // take_slot(): its own, here; another thread's is only passed by.
    now = current;
#ifdef BREAK_look_before_slot
    generation = now;
    slot[own] = now;
#else
    slot[own] = now;
    // read_words()
    generation = current;
#endif
again:
    block = ring_block[generation % RING];
    root_generation = ring_generation[generation % RING];
    now = current;
    if
    :: RING_HOLDS(now, generation)
    :: else ->
        generation = now;
        goto again
    fi;
    assert(root_generation == generation);
    // Reads, whenever.
    do
    :: assert(written[block] == root_generation)
    :: break
    od;
    slot[own] = 0;
    d_step
    {
        now = 0;
        generation = 0;
        block = 0;
        root_generation = 0
    };
    goto begin
}

init
{
    atomic
    {
        used[0] = true;
        written[0] = 1;
        ring_generation[1] = 1;
        run writer();
        run reader(0);
        run reader(1)
    }
}
