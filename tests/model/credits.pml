/*
 * credits.pml: mailboxes with a limit that hold their senders: runtime/actor/credits.c, hold.c and
 * the part of gate.c that obeys. N bounded actors send to whomever they please, B messages each
 * beside those they start with; one of them may exit whenever it likes.
 *
 * Checked: at rest nobody who lives is held, has mail, or owes credits; nobody is held twice; no
 * credit is given back that was not taken.
 *
 * Waiting is a guard here: that a push wakes who sleeps is inbox.pml's business. Memory is
 * sequentially consistent; the word needs no more, and the lists are under the lock.
 */
#ifndef N
#define N 2
#endif
#ifndef B
#define B 2
#endif
#ifndef LIMIT
#define LIMIT 1
#endif
#ifndef EXITS
#define EXITS 0
#endif
#define LOW (LIMIT / 2)

byte used[N], plain[N], note[N];
bool waiters[N], closed[N], held[N];
byte on[N];                      /* who it is held on, plus one; 0: nobody */
byte last[N];                    /* who it was held on last: the note says so */
bool waits[N * N];               /* list of t: waits[t * N + who] */
byte left[N];
bit locked;

inline lock() { atomic { !locked -> locked = 1 } }
inline unlock() { locked = 0 }

/* thi_hold_release(): the list is taken under the lock, and posted after it */
inline release(t)
{
    lock();
#ifndef MUT_6
    waiters[t] = false;
#endif
    d_step {
        k = 0;
        do
        :: k < N -> got[k] = waits[t * N + k]; waits[t * N + k] = false;
           if
           :: got[k] -> on[k] = 0
           :: else
           fi;
           k++
        :: else -> break
        od;
        k = 0
    }
    unlock();
#ifdef MUT_6                     /* clears the bit when it has given up the lock */
    waiters[t] = false;
#endif
    do
    :: k < N ->
        if
        :: atomic { got[k] -> note[k]++; got[k] = false; assert(note[k] == 1) }
        :: else
        fi;
        k++
    :: else -> break
    od;
    k = 0
}

/* leads_to(): does the way from t come to us? */
inline walk(t)
{
    d_step {
        k = t; circle = (k == me);
        do
        :: !circle && on[k] != 0 -> k = on[k] - 1; circle = (k == me)
        :: else -> break
        od;
#ifdef MUT_1                     /* everybody may wait for everybody */
        circle = false;
#endif
#ifdef MUT_7                     /* looks no further than itself */
        circle = (t == me);
#endif
        k = 0
    }
}

inline mark(t)
{
#ifdef MUT_2                     /* does not look again whether it has drained */
    atomic { ok = !closed[t]; waiters[t] = ok }
#else
#ifdef MUT_3                     /* looks, and then sets the bit */
    ok = !closed[t] && used[t] > LOW;
    if
    :: ok -> waiters[t] = true
    :: else
    fi
#else
#ifdef MUT_8                     /* waits for the dead */
    atomic { ok = used[t] > LOW; waiters[t] = waiters[t] | ok }
#else
    atomic {
        ok = !closed[t] && used[t] > LOW;
        if
        :: ok -> waiters[t] = true
        :: else
        fi
    }
#endif
#endif
#endif
}

inline hold(t)
{
#ifdef MUT_5                     /* looks for a circle before it has the lock */
    walk(t);
    lock();
#else
    lock();
    walk(t);
#endif
    ok = false;
    if
    :: !circle -> mark(t)
    :: else
    fi;
    if
    :: ok -> d_step { waits[t * N + me] = true; on[me] = t + 1; last[me] = t;
                      assert(!held[me]); held[me] = true }
    :: else
    fi;
    unlock()
}

inline send(t)
{
    atomic {                     /* the credit */
        filled = false;
        if
        :: !closed[t] -> used[t]++; filled = (used[t] >= LIMIT)
        :: else
        fi
    }
    atomic {                     /* the push; to the closed it is a dead letter */
        if
        :: !closed[t] -> plain[t]++
        :: else
        fi
    }
    if
    :: filled && !held[me] -> hold(t)
    :: else
    fi
}

proctype actor(byte me)
{
    byte k = 0, to;
    bool filled, ok, circle, hit;
    bool got[N];

end:
    do
    :: atomic { note[me] > 0 -> note[me]-- };
        held[me] = false;
        lock(); on[me] = 0; unlock();
        to = last[me];           /* thi_hold_released(): filled again meanwhile? */
        if
        :: !closed[to] && used[to] > LIMIT -> hold(to)
        :: else
        fi
    :: atomic { !held[me] && plain[me] > 0 -> plain[me]-- };
#ifdef MUT_4                     /* looks for who waits, and then gives back */
        hit = waiters[me];
        atomic { assert(used[me] > 0); used[me]--; hit = hit && used[me] <= LOW };
#else
        atomic { assert(used[me] > 0); used[me]--; hit = waiters[me] && used[me] <= LOW };
#endif
        if
        :: hit -> release(me)
        :: else
        fi;
        /* the handler: it sends until it is tired of it */
        do
        :: left[me] > 0 ->
            left[me]--;
            if
            :: to = 0
            :: to = 1
#if N > 2
            :: to = 2
#endif
            fi;
            send(to)
        :: break
        od
#if EXITS
    :: me == 0 ->
        held[me] = false;
        lock(); on[me] = 0; unlock();
        atomic { closed[me] = true; hit = waiters[me] };
#ifdef MUT_9                     /* goes without a word */
        hit = false;
#endif
        if
        :: hit -> release(me)
        :: else
        fi;
        break
#endif
    od
}

init {
    byte i = 0;

    atomic {
        do
        :: i < N -> left[i] = B; used[i] = 1; plain[i] = 1; run actor(i); i++
        :: else -> break
        od
    }
    timeout ->
    i = 0;
    do
    :: i < N ->
        assert(!locked);
        if
        :: !closed[i] ->
            assert(!held[i]);
            assert(plain[i] == 0 && used[i] == 0);
            assert(note[i] == 0 && !waiters[i])
        :: else
        fi;
        i++
    :: else -> break
    od
}
