/*
 * inbox.pml: the mailbox word of mailbox/inbox.h, and the turn of the worker that owns it.
 *
 * One atomic word is ASLEEP, CLOSED, NONE (awake and empty) or the top of a stack of mail, whose
 * low bit says that an urgent (system) message is inside. P producers push M messages each, plain
 * or urgent as they please, while W workers run the cell whenever it is in the run queue.
 *
 * Checked: no wake-up is lost, the cell is never in the run queue twice and never run by two
 * workers, each lane of a producer stays in order, urgent goes before plain, nothing is accepted
 * after close, and each message is handled or dead-lettered exactly once.
 *
 * Memory is sequentially consistent here; the orders are tests/orders' business.
 */
#ifndef P
#define P 2
#endif
#ifndef M
#define M 2
#endif
#ifndef W
#define W 2
#endif
#ifndef WAKER
#define WAKER 0
#endif
#define N (P * M)

#define NONE 0
#define ASLEEP 254
#define CLOSED 255
#define URGENT 1

byte word = ASLEEP;
byte next[N + 1];
bool urgent[N + 1];              /* what the sender meant; the word only summarises it */

chan own_urgent = [N] of { byte }; /* the owner's private lists, handed over with the cell */
chan own_plain = [N] of { byte };

byte queued;                     /* times the cell is in the run queue */
byte running;                    /* workers inside the cell */
bool closed;
byte last[2 * P];                /* per producer and lane: the newest message settled */
byte settled;                    /* handled + dead letters */
bool done[N + 1];

#define producer_of(m) (((m) - 1) / M)

inline settle(m)
{
    assert(!done[m]);            /* exactly once */
    done[m] = true;
    settled++;
}

inline in_order(m)
{
    assert(last[producer_of(m) * 2 + urgent[m]] < m); /* first in, first out, per lane */
    last[producer_of(m) * 2 + urgent[m]] = m;
}

inline submit()
{
    assert(queued == 0);         /* never twice in the run queue */
    queued++;
}

proctype producer(byte who)
{
    byte k = 1, m, top, woke;

    do
    :: k <= M ->
        d_step { m = who * M + k; woke = 0; }
        if
        :: urgent[m] = 1
        :: urgent[m] = 0
        fi;
        do
        :: d_step {              /* load, and link in private */
               top = word;
               if
               :: top == ASLEEP || top == CLOSED -> next[m] = NONE
               :: else -> next[m] = top >> 1
               fi
           }
           if
           :: atomic { top == CLOSED -> assert(closed); settle(m); break }
           :: else
           fi;
           if
           :: atomic {           /* the exchange of the loop */
                  word == top && top != CLOSED ->
#ifdef MUT_4                     /* a plain push forgets the bit below it */
                  word = (m << 1) | urgent[m];
#else
                  word = (m << 1) | (urgent[m] | ((top == ASLEEP -> 0 : top & URGENT)));
#endif
                  assert(!closed);
#ifdef MUT_2                     /* who finds the box empty thinks it slept */
                  woke = (top == ASLEEP || top == NONE);
#else
                  woke = (top == ASLEEP);
#endif
                  break
              }
           :: else
           fi
        od;
        if
        :: atomic { woke -> assert(running == 0); submit(); }
        :: else
        fi;
        k++
    :: else -> break
    od
}

/* thi_inbox_wake(): ends a sleep without a message. */
proctype waker()
{
    bool woke;

    atomic {
        woke = (word == ASLEEP);
        if
        :: woke -> word = NONE
        :: else
        fi
    }
    if
    :: atomic { woke -> assert(running == 0); submit(); }
    :: else
    fi
}

/* What the word held goes to the private lists, oldest first, but for `only`, which was handled
 * where it lay. */
inline unstack(top, marked)
{
    m = top >> 1;
    n = 0;
    do
    :: m != NONE -> stack[n] = m; n++; m = next[m]
    :: else -> break
    od;
    do
    :: n > 0 ->
#ifdef MUT_5                     /* newest first */
        m = stack[0];
        stack[0] = stack[1]; stack[1] = stack[2]; stack[2] = stack[3];
        n--;
#else
        n--; m = stack[n];
#endif
        if
#ifndef MUT_9                    /* (mutant: handles it again) */
        :: m == only
        :: m != only && marked && urgent[m] -> own_urgent!m
        :: m != only && !(marked && urgent[m]) ->
#else
        :: marked && urgent[m] -> own_urgent!m
        :: !(marked && urgent[m]) ->
#endif
            assert(!urgent[m]); own_plain!m /* no bit, no urgent mail */
        fi
    :: else -> break
    od;
    m = 0
}

proctype worker()
{
    byte top, m, n, only;
    byte stack[N + 1];

end_idle:
    do
    :: atomic {
           queued > 0 -> queued--; running++;
           assert(running == 1); /* never run by two workers */
       }
       if                        /* a lone message may be handled where it lies */
       :: atomic {
              top = word;
              if
#ifdef MUT_10                    /* (mutant: takes anything for alone) */
              :: top > URGENT && empty(own_plain) && empty(own_urgent) -> only = top >> 1
#else
              :: top > URGENT && !(top & URGENT) && next[top >> 1] == NONE &&
                 empty(own_plain) && empty(own_urgent) -> only = top >> 1
#endif
              :: skip
              fi;
              top = 0
          };
          if
          :: only == 0
          :: atomic { only != 0 -> in_order(only); settle(only) };
#ifdef MUT_11                    /* sleeps after it by a store: what came on top is lost */
             if
             :: word == only << 1 -> atomic { word = ASLEEP; running--; only = 0; goto end_idle }
             :: word != only << 1
             fi
#else
             if
             :: atomic { word == only << 1 -> word = ASLEEP; running--; only = 0; goto end_idle }
             :: word != only << 1
             :: true             /* it failed, or ended the actor: take whatever there is */
             fi
#endif
          fi
       fi;
take:
       if
       :: atomic {               /* the exchange; a private walk follows */
              assert(word != ASLEEP && word != CLOSED);
              top = word; word = NONE;
              unstack(top, top & URGENT);
              top = 0; only = 0;
          }
       :: only == 0 && (nempty(own_plain) || nempty(own_urgent)) /* or finish first what it has */
       fi;
       do
       :: atomic { nempty(own_urgent) -> own_urgent?m; in_order(m); settle(m); m = 0 }
       :: atomic { empty(own_urgent) && nempty(own_plain) ->
                   own_plain?m; in_order(m); settle(m); m = 0 }
       :: nempty(own_urgent) || nempty(own_plain) -> goto again /* its budget ends */
       :: empty(own_urgent) && empty(own_plain) -> break
       :: goto close             /* a handler may end the actor at any moment */
       od;
#ifdef MUT_1                     /* sleeps by a store: what came since the look is lost */
       if
       :: word == NONE -> skip
       :: else -> goto take
       fi;
       atomic { word = ASLEEP; running--; }
#elif defined(MUT_6)             /* takes a failed sleep for a sleep */
       atomic {
           if
           :: word == NONE -> word = ASLEEP
           :: else
           fi;
           running--;
       }
#elif defined(MUT_7)             /* touches the cell after it gave it up */
       if
       :: atomic { word == NONE -> word = ASLEEP }
          running--
       :: atomic { word != NONE -> goto take }
       fi
#else
       if
       :: atomic { word == NONE -> word = ASLEEP; running--; } /* the hand-over is this exchange */
       :: atomic { word != NONE -> goto take }
       :: atomic { word != NONE -> goto again }
       fi
#endif
       ;
       goto end_idle;
again:
#ifdef MUT_8                     /* queues itself, then still tidies up */
       atomic { submit(); }
       running--;
#else
       atomic { running--; submit(); } /* the hand-over is the submission */
#endif
       goto end_idle;
close:
#ifdef MUT_3                     /* closes by load and store: mail in between is lost */
       top = word;
       atomic {
           word = CLOSED; closed = true;
#else
       atomic {
           top = word; word = CLOSED; closed = true;
#endif
           unstack(top, top & URGENT);
           do
           :: nempty(own_urgent) -> own_urgent?m; in_order(m); settle(m)
           :: empty(own_urgent) && nempty(own_plain) -> own_plain?m; in_order(m); settle(m)
           :: empty(own_urgent) && empty(own_plain) -> break
           od;
           m = 0; top = 0;
           running--
       }
    od
}

init
{
    byte i;

    atomic {
        for (i : 0 .. P - 1) { run producer(i); }
        for (i : 1 .. W) { run worker(); }
        if
        :: WAKER -> run waker()
        :: !WAKER
        fi;
        i = 0;
    }
    timeout ->
    assert(settled == N);
    assert(queued == 0 && running == 0);
    assert(closed -> word == CLOSED : word == ASLEEP);
}
