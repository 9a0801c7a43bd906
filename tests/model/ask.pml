/*
 * ask.pml: the one-shot reply address (an alias cell) behind th_ask().
 *
 * A question gets an address of its own: a directory slot whose cell holds the sentinel ALIAS in
 * place of mail. Whoever turns ALIAS into CLOSED delivers; the other answers and the time-out are
 * too late and become dead letters. The winner takes the address out of the directory and retires
 * the cell, which is used again after a grace period under the next generation. There is one slot
 * and one cell here, so every reuse is the worst one.
 *
 * Checked: each question gets exactly one of answer and time-out, never that of another question;
 * every later answer is a dead letter; the cell is retired once per question.
 */
#ifndef Q
#define Q 3                      /* questions, one after the other */
#endif
#ifndef A
#define A 2                      /* actors who answer each of them; the last thread is the timer */
#endif

#define ALIAS 1
#define CLOSED 2

mtype = { answer, time_out };

/* the slot: generation 0 means that nobody lives here */
byte slot_generation;
/* the cell */
byte word = CLOSED;
byte cell_question;
bool cell_free = true;

bool in_section[A + 1];          /* inside an RCU read section */
byte retired;
byte asked;                      /* question q goes out under generation q */
byte settled, dead, silent;
chan box = [2 * Q] of { mtype, byte };

inline claim(won)
{
#ifdef MUT_1                     /* claims by load and store */
    won = (word == ALIAS);
    if
    :: won -> word = CLOSED
    :: else
    fi;
#else
    atomic {
        won = (word == ALIAS);
        if
        :: won -> word = CLOSED
        :: else
        fi
    }
#endif
}

inline retire()
{
    atomic { assert(retired == 0); retired = 1; }
}

proctype sender(byte me; mtype kind)
{
    byte q = 1;
    bool won;

    do
    :: q <= Q ->
        asked >= q;              /* it knows the address from then on, for ever */
        if
        :: kind == answer -> atomic { silent++; goto following } /* some never answer */
        :: in_section[me] = true
        fi;
        if
#ifdef MUT_3                     /* follows any generation */
        :: slot_generation != 0 ->
#else
        :: slot_generation == q ->
#endif
            claim(won);
            if
            :: won ->
                box!kind(cell_question);
                assert(cell_question == q);
#ifdef MUT_5                     /* retires it while it can still be found */
                retire();
                slot_generation = 0
#else
                slot_generation = 0;
                retire()
#endif
            :: else ->
#ifdef MUT_4                     /* too late, and nobody hears of it */
                skip
#else
                dead++
#endif
#ifdef MUT_6                     /* the loser tidies up as well */
                ; retire()
#endif
            fi
        :: else -> dead++
        fi;
        atomic { won = false; in_section[me] = false; }
following:
        q++
    :: else -> break
    od
}

active proctype reclaimer()      /* call_rcu */
{
    byte i;

end_reclaimer:
    do
    :: retired > 0 ->
#ifndef MUT_2                    /* (mutant: reuses the cell at once) */
        do                       /* a section that began before must end; a later one may be seen */
        :: i <= A -> !in_section[i]; i++
        :: else -> break
        od;
#endif
        atomic { i = 0; retired = 0; cell_free = true; }
    od
}

active proctype asker()
{
    byte q = 1, about;
    mtype kind;

    do
    :: q <= Q ->
        atomic { cell_free -> cell_free = false; cell_question = q; }
        word = ALIAS;
        slot_generation = q;
        asked = q;
        box?kind(about);
        assert(about == q);      /* not the answer to another question */
        settled++;
        q++
    :: else -> break
    od
}

init
{
    byte i;

    atomic {
        for (i : 0 .. A - 1) { run sender(i, answer); }
        run sender(A, time_out);
        i = 0;
    }
    timeout ->
    assert(settled == Q && empty(box)); /* exactly one each */
    assert(settled + dead + silent == Q * (A + 1)); /* and the rest are dead letters */
    assert(cell_free && retired == 0);
}
