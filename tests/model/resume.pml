/*
 * resume.pml: a session outlives its connections: transport/link/session.c, greeting.c, the
 * numbers of outbound.c and inbound.c. Two systems, D who decides and O the other; each sends M
 * numbered frames, at most W unacknowledged. The connection breaks wherever it likes, B times; O
 * dials again, also while the old connection still seems open to D (half-open). One frame of D's
 * cannot be read by O, and comes back (RETURNED).
 *
 * Checked: each frame is taken in once and in order; what is settled was taken in, what came back
 * was one that cannot be read, and is told once; at rest everything is settled, both ways.
 *
 * A connection is two queues and a number: what is written to an older one is lost when the reader
 * has left it. RESUME of O names how far it has come; D's answer, too, and its count.
 */
#ifndef M
#define M 3
#endif
#ifndef W
#define W 2
#endif
#ifndef B
#define B 2
#endif
#ifndef BAD
#define BAD 2                    /* D's frame of this number cannot be read */
#endif

#define D 0
#define O 1

mtype = { HELLO, RESUME, DATA, ACK, RETURNED, PING, PONG };

/* kind, number, count; [connection % 2 * 2 + who reads] */
chan wire[4] = [8] of { mtype, byte, byte };

/* of each side, by who */
byte conn_of[2];                 /* which connection it reads and writes; 0: none */
bool is_up[2];
byte sent[2], acked[2], last[2], got[2], told[2];
byte count_of[2];
bool back;                       /* O: D's bad frame came, and D may not know */
bool back_written, pinged;       /* O: on this connection */
byte poisoned;                   /* D: how often the bad one came back */
byte newest = 0;                 /* connections that O has dialled */
byte breaks = B;

#define HERE(who) wire[(conn_of[who] % 2) * 2 + (who)]
#define THERE(who) wire[(conn_of[who] % 2) * 2 + (1 - (who))]

/* how far all that came is acknowledged: L3 */
inline settled_of(who, n)
{
#ifdef MUT_1                     /* a resume acknowledges past what may not have come back */
    n = got[who];
#else
    if
    :: who == O && back -> n = BAD - 1
    :: else -> n = got[who]
    fi
#endif
}

/* Their acknowledgement came. */
inline settle(who, n)
{
    assert(n <= last[who]);
    if
    :: n > acked[who] ->
        /* what is settled was taken in by the other, and D knows of the one that was not read */
        assert(n <= got[1 - who]);
        assert(who == O || n < BAD || poisoned == 1);
        acked[who] = n;
        if
        :: sent[who] < n -> sent[who] = n
        :: else
        fi
    :: else
    fi
}

/* Frame n is taken in. */
inline take(who, n)
{
#ifdef MUT_2                     /* takes what it has seen */
    if
    :: n <= got[who] -> assert(false)
    :: else -> skip
    fi;
#endif
    if
    :: n <= got[who]             /* seen */
    :: n == got[who] + 1 ->
        got[who] = n;
        if
        :: who == O && n == BAD -> back = true; back_written = false
        :: else
        fi
    :: else -> assert(false)     /* a gap */
    fi
}

inline up(who)
{
    is_up[who] = true;
#ifdef MUT_3                     /* goes on where it was, not where the other is */
    skip;
#else
    sent[who] = acked[who];
#endif
    settled_of(who, n);
    told[who] = n;
    if
    :: who == O -> back_written = false; pinged = false
    :: else
    fi
}

/* What a side does on the connection that it has. */
inline link(who)
{
    /* write the next frame: again, or for the first time */
    atomic { is_up[who] && nfull(THERE(who)) &&
             (sent[who] < last[who] || (last[who] < M && last[who] - acked[who] < W)) ->
        if
        :: sent[who] == last[who] -> last[who]++
        :: else
        fi;
        sent[who]++;
        THERE(who) ! DATA, sent[who], 0 }
}

proctype decider()
{
    byte n, k;

end:
    do
    :: link(D)
    :: atomic { is_up[D] && got[D] > told[D] && nfull(THERE(D)) ->
        told[D] = got[D]; THERE(D) ! ACK, got[D], 0 }
    /* a connection was dialled: it reads RESUME there, and takes it in place of any other */
    :: atomic { newest > 0 && conn_of[D] != newest && nempty(wire[(newest % 2) * 2 + D]) ->
        wire[(newest % 2) * 2 + D] ? RESUME, n, k;
        conn_of[D] = newest; count_of[D]++;
        settle(D, n);
        up(D);
        settled_of(D, n);
        THERE(D) ! RESUME, n, count_of[D] }
    :: atomic { is_up[D] && HERE(D) ? [DATA, _, _] -> HERE(D) ? DATA, n, k; take(D, n) }
    :: atomic { is_up[D] && HERE(D) ? [ACK, _, _] -> HERE(D) ? ACK, n, k;
        settle(D, n) }
    :: atomic { is_up[D] && HERE(D) ? [RETURNED, _, _] -> HERE(D) ? RETURNED, n, k;
        if
#ifdef MUT_4                     /* hears of it again and tells it again */
        :: true ->
#else
        :: n > acked[D] ->
#endif
            settle(D, n - 1); poisoned++; assert(poisoned == 1); settle(D, n)
        :: else
        fi }
    :: atomic { is_up[D] && nfull(THERE(D)) && HERE(D) ? [PING, _, _] ->
        HERE(D) ? PING, n, k; THERE(D) ! PONG, 0, 0 }
    od
}

proctype other()
{
    byte n, k;

end:
    do
    /* no connection: it dials, and says where it is */
    :: atomic { conn_of[O] == 0 && newest < B + 1 ->
        newest++; conn_of[O] = newest; is_up[O] = false;
        /* its queues were those of the connection before the last: D has heard of its end by now */
        if
        :: conn_of[D] != 0 && conn_of[D] % 2 == newest % 2 -> conn_of[D] = 0; is_up[D] = false
        :: else
        fi;
        do
        :: nempty(wire[(newest % 2) * 2]) -> wire[(newest % 2) * 2] ? _, _, _
        :: empty(wire[(newest % 2) * 2]) -> break
        od;
        do
        :: nempty(wire[(newest % 2) * 2 + 1]) -> wire[(newest % 2) * 2 + 1] ? _, _, _
        :: empty(wire[(newest % 2) * 2 + 1]) -> break
        od;
        settled_of(O, n);
        THERE(O) ! RESUME, n, 0 }
    :: atomic { conn_of[O] != 0 && !is_up[O] && HERE(O) ? [RESUME, _, _] ->
        HERE(O) ? RESUME, n, k;
        assert(k > count_of[O]);
        count_of[O] = k;
        settle(O, n);
        up(O) }
    :: link(O)
    :: atomic { is_up[O] && back && !back_written && len(THERE(O)) < 7 ->
        back_written = true; pinged = true;
        THERE(O) ! RETURNED, BAD, 0;
        THERE(O) ! PING, 0, 0 }
#ifdef MUT_5                     /* acknowledges past what it has not yet sent back */
    :: atomic { is_up[O] && got[O] > told[O] && nfull(THERE(O)) ->
#else
    :: atomic { is_up[O] && got[O] > told[O] && (!back || back_written) && nfull(THERE(O)) ->
#endif
        told[O] = got[O]; THERE(O) ! ACK, got[O], 0 }
    :: atomic { is_up[O] && HERE(O) ? [DATA, _, _] -> HERE(O) ? DATA, n, k; take(O, n) }
    :: atomic { is_up[O] && HERE(O) ? [ACK, _, _] -> HERE(O) ? ACK, n, k; settle(O, n) }
    :: atomic { is_up[O] && HERE(O) ? [PONG, _, _] -> HERE(O) ? PONG, n, k; back = false }
#ifdef MUT_6                     /* forgets what it sent back before it is known to be there */
    :: atomic { back && back_written -> back = false }
#endif
    /* it breaks: O knows, D may think that it is open */
    :: atomic { conn_of[O] != 0 && breaks > 0 ->
        breaks--; conn_of[O] = 0; is_up[O] = false }
    od
}

init {
    atomic { run decider(); run other() }
    timeout ->
    assert(conn_of[O] != 0 && is_up[O] && is_up[D]);
    assert(last[D] == M && acked[D] == M && got[O] == M);
    assert(last[O] == M && acked[O] == M && got[D] == M);
    assert(poisoned == (BAD <= M -> 1 : 0));
    assert(!back)
}
