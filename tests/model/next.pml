/*
 * next.pml: the stealable `next` slot of a worker (runtime/sched/runq.c).
 *
 * Only the owner makes the slot non-NULL. So when it reads NULL a plain store is enough; when it
 * reads a task, an exchange displaces it, and what the exchange returns goes to the ring. The
 * owner takes by exchange(NULL); one thief takes by compare-and-exchange, the other by exchange.
 * Tasks come back: the same cell is woken again after it ran, so that an A-B-A would show.
 *
 * Checked: a task that was queued is run exactly once, by one worker.
 */
#ifndef CELLS
#define CELLS 3
#endif
#ifndef WAKES
#define WAKES 6
#endif

#define NONE 0
byte slot;
chan ring = [CELLS] of { byte };

#define IDLE 0
#define QUEUED 1
#define RUNNING 2
byte state[CELLS + 1];
byte wakes, runs;

inline begin(t)
{
    assert(state[t] == QUEUED);  /* exactly once, by one worker */
    state[t] = RUNNING;
}

inline finish(t)
{
    atomic { state[t] = IDLE; runs++; t = NONE; }
}

active proctype owner()
{
    byte t, cur;

end_owner:
    do
    :: atomic {                  /* wake a cell that is idle */
           wakes < WAKES ->
           if
           :: state[1] == IDLE -> t = 1
           :: state[2] == IDLE -> t = 2
           :: state[3] == IDLE -> t = 3
           fi;
           state[t] = QUEUED; wakes++
       }
       cur = slot;
       if
       :: cur == NONE -> slot = t
       :: cur != NONE ->
#ifdef MUT_1                     /* displaces without an exchange: a thief has the old one too */
           slot = t;
#elif defined(MUT_6)             /* trusts what it read, not what the exchange returned */
           slot = t;
#else
           d_step { cur = slot; slot = t; }
#endif
           if
#ifdef MUT_5                     /* forgets whom it displaced */
           :: skip
#else
           :: cur != NONE -> ring!cur
           :: cur == NONE        /* a thief was quicker */
#endif
           fi
       fi;
       d_step { t = NONE; cur = NONE; }
#ifdef MUT_3                     /* the owner takes by load and store */
    :: slot != NONE -> t = slot; slot = NONE;
       if
       :: atomic { t != NONE -> begin(t) } finish(t)
       :: else
       fi
#else
    :: atomic { slot != NONE -> t = slot; slot = NONE; begin(t) } finish(t)
#endif
    :: atomic { ring?t -> begin(t) } finish(t)
    od
}

active proctype thief_by_compare()
{
    byte t;

end_thief:
    do
    :: slot != NONE -> t = slot;
       if
       :: t == NONE
       :: else ->
#ifdef MUT_2                     /* steals by load and store */
           slot = NONE;
           atomic { begin(t) }
           finish(t)
#elif defined(MUT_4)             /* thinks better of it and puts the task back */
           if
           :: atomic { slot == t -> slot = NONE }
              if
              :: atomic { begin(t) } finish(t)
              :: slot = t
              fi
           :: else
           fi
#else
           if
           :: atomic { slot == t -> slot = NONE; begin(t) } finish(t)
           :: else               /* somebody was quicker */
           fi
#endif
       fi;
       t = NONE
    :: atomic { ring?t -> begin(t) } finish(t)
    od
}

active proctype thief_by_exchange()
{
    byte t;

end_thief:
    do
    :: slot != NONE ->
       d_step { t = slot; slot = NONE; }
       if
       :: atomic { t != NONE -> begin(t) } finish(t)
       :: else
       fi
    od
}

init
{
    timeout ->
    assert(wakes == WAKES && runs == WAKES);
    assert(slot == NONE && empty(ring));
}
