/*
 * park.pml: submission, parking and waking of runtime/sched (pool.c, worker.c, runq.c, park.c).
 *
 * `inject` is the shared stack of what outsiders submit; a worker takes it whole. Each worker has a
 * ring that others steal from, a bit in `idle_mask` and a futex word. A worker announces itself
 * idle, looks once more, and only then sleeps; a submitter publishes, and only then looks for
 * somebody idle. Whoever removes a worker's bit owes it exactly one wake.
 *
 * Checked: at rest no work is left anywhere (a lost wake-up would leave some), a worker is woken
 * only by whoever took its bit, and stop ends every worker.
 */
#ifndef S
#define S 2                      /* submitters */
#endif
#ifndef T
#define T 2                      /* tasks each */
#endif
#ifndef W
#define W 2
#endif
#ifndef SPAWN
#define SPAWN 1                  /* tasks that tasks make, in all */
#endif
#ifndef RETIRE
#define RETIRE 0                 /* workers may retire: hand over what they have and sleep */
#endif
#ifndef BLOCKS
#define BLOCKS 0                 /* blocking calls, in all; each waits for all other work */
#endif
#ifndef STOP
#define STOP 1                   /* somebody may stop it all, at any moment */
#endif

byte inject;
byte ring[W];
byte idle_mask;
byte searching;                  /* workers between dry and asleep: who sees one wakes nobody */
byte word[W];                    /* 1: somebody took this worker's bit and woke it */
bool asleep[W];                  /* inside the futex */
byte running = W;                /* neither parked nor blocked */
byte blocks;
bool stop;

byte made, ran, spawned, ended;

#define BIT(w) (1 << (w))

/* Takes one bit out of the mask that was seen and wakes its owner. */
inline wake_one(seen, i, mine)
{
    do
    :: seen == 0 -> break
    :: seen != 0 ->
        if                       /* any of them */
        :: (seen & BIT(0)) -> i = 0
        :: (seen & BIT(1)) -> i = 1
#if W > 2
        :: (seen & BIT(2)) -> i = 2
#endif
        fi;
        d_step { mine = idle_mask & BIT(i); idle_mask = idle_mask & ~BIT(i); }
#ifdef MUT_3                     /* wakes also when somebody else took the bit */
        mine = 1;
#endif
        if
        :: mine != 0 -> wake(i); break
        :: else ->
            if                   /* that one is being woken: it will see our task too */
            :: break
            :: seen = seen & ~BIT(i)
            fi
        fi
    od;
    atomic { seen = 0; i = 0; mine = 0; }
}

inline wake(i)
{
#ifdef MUT_8                     /* wakes the sleeper before its word says why */
    asleep[i] = false;
    word[i] = 1;
#else
    word[i] = 1;
    asleep[i] = false;
#endif
}

proctype submitter()
{
    byte k, seen, i, mine;

    do
    :: k < T ->
#ifdef MUT_2                     /* looks for the idle before it has published */
        seen = idle_mask;
        d_step { inject++; made++; }
#else
        d_step { inject++; made++; }
        if
        :: searching > 0 -> seen = 0 /* that one has its last look before it */
        :: else -> seen = idle_mask
        fi;
#endif
        wake_one(seen, i, mine);
        k++
    :: else -> break
    od
}

#define OTHERS_WORK(me) (ring[((me) + 1) % W] > 0 || (W > 2 && ring[((me) + 2) % W] > 0))

proctype worker(byte me)
{
    byte seen, i, mine;

loop:
    if
    :: stop -> goto leave
    :: else
    fi;
    if
    :: atomic { ring[me] > 0 -> ring[me]--; goto work }
    :: else
    fi;
    if
    :: atomic { inject > 0 -> ring[me] = ring[me] + inject; inject = 0; goto loop }
    :: else
    fi;
    if
    :: atomic { ring[(me + 1) % W] > 0 -> ring[(me + 1) % W]--; goto work }
#if W > 2
    :: atomic { ring[(me + 2) % W] > 0 -> ring[(me + 2) % W]--; goto work }
#endif
    :: !OTHERS_WORK(me)
    fi;

    searching++;
    if                           /* it spins for a while, and may find something */
    :: inject > 0 -> searching--; goto loop
    :: skip
    fi;
#ifdef MUT_9                     /* no longer searches, not yet idle: nobody wakes it */
    searching--;
    d_step { assert(stop || (idle_mask & BIT(me)) == 0); idle_mask = idle_mask | BIT(me); }
    running--;
    goto sleep;
#else
    d_step { assert(stop || (idle_mask & BIT(me)) == 0); idle_mask = idle_mask | BIT(me); }
    running--;
#ifdef MUT_10                    /* has its last look while it still counts as searching */
    if
    :: inject > 0 -> searching--; goto stay
    :: else -> searching--; goto sleep
    fi;
#endif
    searching--;
#endif
#ifdef MUT_1                     /* sleeps without the second look */
    goto sleep;
#endif
    if
    :: inject > 0 -> goto stay
    :: else
    fi;
    if
    :: OTHERS_WORK(me) -> goto stay
    :: else
    fi;
    if
    :: stop -> goto stay
    :: else
    fi;
sleep:
#ifdef MUT_7                     /* clears its word late, and a wake with it */
    word[me] = 0;
#endif
    do
#ifdef MUT_6                     /* looks, then sleeps: a wake in between is lost */
    :: word[me] == 0 -> asleep[me] = true;
#else
    :: atomic { word[me] == 0 -> asleep[me] = true } /* futex_wait(word, 0) is one step */
#endif
end_parked:
       !asleep[me]
    :: word[me] != 0 -> break
    od;
    assert(stop || (idle_mask & BIT(me)) == 0); /* woken only by whoever took the bit */
    word[me] = 0;
    running++;
    goto loop;

stay:
    if
    :: atomic { (idle_mask & BIT(me)) != 0 -> idle_mask = idle_mask & ~BIT(me) }
#ifdef MUT_4                     /* leaves the wake that is on its way to somebody else's sleep */
    :: (idle_mask & BIT(me)) == 0
#else
    :: (idle_mask & BIT(me)) == 0 -> word[me] == 1; word[me] = 0 /* consume the wake owed to us */
#endif
    fi;
    running++;
    goto loop;

retire:                          /* everything to the submissions, waking nobody */
    atomic { inject = inject + ring[me]; ring[me] = 0; }
    d_step { assert(stop || (idle_mask & BIT(me)) == 0); idle_mask = idle_mask | BIT(me); }
    atomic { seen = running; running--; }
    if
#ifndef MUT_11                   /* (mutant: retires though it is the last) */
    :: atomic { seen == 1 -> seen = 0; goto stay }
#endif
    :: atomic { stop -> seen = 0; goto stay }
    :: else -> seen = 0
    fi;
    goto sleep;

block:                           /* its queue to the submissions, then out of the count */
    if
    :: ring[me] > 0 ->
        atomic { inject = inject + ring[me]; ring[me] = 0; }
        if
        :: searching > 0
        :: else -> seen = idle_mask; wake_one(seen, i, mine)
        fi
    :: ring[me] == 0
    fi;
    running--;
#ifndef MUT_12                   /* (mutant: leaves what somebody retired on our account) */
    if
    :: inject > 0 -> seen = idle_mask; wake_one(seen, i, mine)
    :: inject == 0
    fi;
#endif
end_blocked:
    (ran == made && made == S * T + spawned) || stop;
    running++;
    goto loop;

work:
    atomic {
        ran++;
        if
        :: spawned < SPAWN -> spawned++; made++; ring[me]++
        :: else
        fi
    }
    if                           /* the policy may wake somebody at any moment */
    :: skip
    :: ring[me] > 0 -> seen = idle_mask; wake_one(seen, i, mine)
    :: RETIRE && running > 1 -> goto retire
    :: atomic { blocks < BLOCKS -> blocks++; goto block }
    fi;
    goto loop;

leave:
    ended++
}

proctype stopper()
{
    byte i;

    if
    :: goto out                  /* sometimes nobody stops anything */
    :: skip
    fi;
#ifndef MUT_5                    /* (mutant: wakes all, and only then says why) */
    stop = true;
#endif
    do                           /* everybody, parked or not, whoever has the bit */
    :: i < W -> wake(i); i++
    :: else -> i = 0; break
    od;
#ifdef MUT_5
    stop = true;
#endif
out:
    skip
}

init
{
    byte i;

    atomic {
        for (i : 1 .. S) { run submitter(); }
        for (i : 0 .. W - 1) { run worker(i); }
        if
        :: STOP -> run stopper()
        :: !STOP
        fi;
        i = 0;
    }
    timeout ->
    if
    :: stop -> assert(ended == W)
    :: else ->
        assert(ran == made && inject == 0);
        assert(made == S * T + SPAWN);
        assert(idle_mask == (1 << W) - 1)
    fi
}
