/*
 * exit.pml: how actors end and how their parents hear of it (runtime/actor/exit.c).
 *
 * A chain ADMIN <- 1 <- 2 <- 3, each the parent of the next. An actor may end by itself at any
 * moment (or fail in init, which is the same path before its first message), or be asked to; with
 * recursion (children first) or without (children go to the admin). Some moment the admin stops,
 * recursively.
 *
 * The order of an ending: [recursive] ask the children to exit, stay until the last has reported;
 * [not] per child: ADOPT to the admin, then NEW_PARENT to the child. Close the box; a child-exited
 * in the drain goes on to the admin, who has adopted that child by then, and a NEW_PARENT there
 * still counts. Report to the parent; if its box is closed, to the admin, for the same reason. An
 * admin that is ending asks whomever it adopts to exit as well.
 *
 * Checked: a living parent hears of each child exactly once and only of its own children;
 * with recursion a parent ends after its children; nobody waits for ever.
 */
#define LAST 3
#ifndef ASKS
#define ASKS 2                   /* exit requests from outsiders */
#endif

#define ADMIN 0
mtype = { exit_rec, exit_alone, child_exited, new_parent, adopt };

chan box0 = [12] of { mtype, byte };
chan box1 = [8] of { mtype, byte };
chan box2 = [8] of { mtype, byte };
chan box3 = [8] of { mtype, byte };
chan box[4];

bool closed[LAST + 1];
bool dead[LAST + 1];
byte children[LAST + 1];         /* a bit per child */
byte parent[LAST + 1];

#define BIT(c) (1 << (c))
#define FIRST(c) ((c) == me || parent[c] != me || dead[c]) /* children first */

/* inbox.pml proves that push and close are one step each and that no mail is lost. */
inline push(target, what, whom, ok)
{
    atomic {
        if
        :: closed[target] -> ok = false
        :: !closed[target] -> assert(nfull(box[target])); box[target]!what(whom); ok = true
        fi
    }
}

inline hear_of(child)
{
    assert(children[me] & BIT(child)); /* our own child, and the first we hear of it */
    children[me] = children[me] & ~BIT(child);
}

/* The next child of ours after c. */
inline next_child(c)
{
    c++;
    do
    :: c <= LAST && !(children[me] & BIT(c)) -> c++
    :: else -> break
    od
}

proctype actor(byte me)
{
    byte who, c;
    mtype kind;
    bool recursive, accepted, stays;
#ifdef MUT_7
    bool asked;
#endif

    if                           /* some never end unless they are told to */
    :: me != ADMIN -> stays = true
    :: true
    fi;
    do                           /* alive */
    :: atomic { box[me]?kind(who) ->
           if
           :: kind == exit_rec || (kind == exit_alone && me != ADMIN) ->
#ifdef MUT_7
              asked = true;
#endif
              recursive = (kind == exit_rec); kind = 0; break
           :: kind == exit_alone && me == ADMIN
           :: kind == child_exited -> hear_of(who)
           :: kind == new_parent -> parent[me] = who
           :: kind == adopt -> assert((children[me] & BIT(who)) == 0);
              children[me] = children[me] | BIT(who)
           fi; who = 0; kind = 0 }
    :: atomic { !stays -> recursive = true; break }
    :: atomic { !stays && me != ADMIN -> break }
    od;

    if
    :: recursive ->
        do
        :: atomic {
               next_child(c);
               if
               :: c <= LAST -> push(c, exit_rec, 0, accepted); accepted = 0
               :: c > LAST -> c = 0; break
               fi
           }
        od;
#ifndef MUT_4                    /* (mutant: does not wait for its children) */
        do
        :: children[me] == 0 -> break
        :: children[me] != 0 -> atomic { box[me]?kind(who) ->
               if
               :: kind == exit_rec || kind == exit_alone /* it is at it */
               :: kind == child_exited -> hear_of(who)
               :: kind == new_parent -> parent[me] = who
               :: kind == adopt -> children[me] = children[me] | BIT(who);
#ifndef MUT_6                    /* (mutant: adopts while it ends, and does not pass the word) */
                   push(who, exit_rec, 0, accepted); accepted = 0
#endif
               fi; who = 0; kind = 0 }
        od
#endif
    :: !recursive ->
        do
        :: atomic { children[me] != 0 ->
               next_child(c);
#ifdef MUT_1                     /* the child learns of the admin before the admin of the child */
               push(c, new_parent, ADMIN, accepted) }
           push(ADMIN, adopt, c, who);
#else
               push(ADMIN, adopt, c, accepted) }
           push(c, new_parent, ADMIN, accepted); /* refused: it reports to us, see the drain */
#endif
           atomic { children[me] = children[me] & ~BIT(c); accepted = 0; who = 0; c = 0 }
        :: children[me] == 0 -> break
        od
    fi;

#ifdef MUT_5                     /* reports first, closes then */
    push(parent[me], child_exited, me, accepted);
#endif
    atomic {                     /* close, and drain what nobody can see any more */
        closed[me] = true;
        do
        :: box[me]?kind(who) ->
            if
            :: kind == child_exited ->
#ifndef MUT_3                    /* (mutant: a report in the drain is just a dead letter) */
               push(ADMIN, child_exited, who, accepted)
#endif
            :: kind == new_parent ->
               parent[me] = who
            :: else
            fi
        :: empty(box[me]) -> break
        od;
        who = 0;
        assert(!recursive || (FIRST(1) && FIRST(2) && FIRST(3)));
        dead[me] = true
    }
#ifdef MUT_7                     /* an exit that nobody asked for is not reported */
    if
    :: asked || me == ADMIN
    :: else -> goto out
    fi;
#endif
#ifndef MUT_5
    if
    :: me != ADMIN ->
        push(parent[me], child_exited, me, accepted);
#ifndef MUT_2                    /* (mutant: a report to a dead parent is dropped) */
        if
        :: !accepted -> push(ADMIN, child_exited, me, accepted)
        :: accepted
        fi
#endif
    :: me == ADMIN
    fi
#endif
    ;
out:
    skip
}

proctype outsider()
{
    byte n;
    bool accepted;

    do
    :: n < ASKS ->
        if
        :: push(1, exit_rec, 0, accepted)
        :: push(1, exit_alone, 0, accepted)
        :: push(2, exit_rec, 0, accepted)
        :: push(2, exit_alone, 0, accepted)
        :: push(3, exit_alone, 0, accepted)
        fi;
        atomic { accepted = 0; n++; }
    :: else -> break
    od
}

init
{
    byte i;

    atomic {
        box[0] = box0; box[1] = box1; box[2] = box2; box[3] = box3;
        for (i : 1 .. LAST) { parent[i] = i - 1; children[i - 1] = BIT(i); }
        for (i : 0 .. LAST) { run actor(i); }
        run outsider();
        i = 0;
    }
    timeout ->
    assert(dead[0] && dead[1] && dead[2] && dead[3]); /* nobody waits for ever */
}
