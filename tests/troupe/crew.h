/* tests/troupe/crew.h: a class of workers that do as they are told, and verbs to tell them.
 *
 * For the one .c of a test program: it defines its message types. */
#ifndef TESTS_TROUPE_CREW_H
#define TESTS_TROUPE_CREW_H

#include "tests/support/system.h"

#include <thespis/config.h>
#include <thespis/dispatch.h>
#include <thespis/testkit.h>
#include <thespis/troupe.h>

#include <stdatomic.h>
#include <stdio.h>

/* ---- what is said ---- */

enum what {
    ECHO,      /* answer */
    HOLD,      /* hold; answer; poked later: answer again, done */
    HOLD_DONE, /* both in one handler; answer */
    FAIL,      /* fail each time */
    FAIL_ONCE, /* fail, then answer */
    HOLD_FAIL, /* hold, and fail each time */
    DIE,       /* exit with the job in hand */
    DIE_TWICE, /* that, two workers in a row; the third answers */
    LEAVE,     /* answer, and exit */
    BLOCK,     /* begin a blocking call, and forget it */
    SAY_STATE, /* answer with 1 in count if the runtime knows the user's state and class state */
    QUIET      /* do nothing */
};

#define TASK_FIELDS(F, S) F(S, u32, what) F(S, u64, id)
TH_MESSAGE(task, TASK_FIELDS);
TH_MESSAGE_TYPE(task, TASK_FIELDS)

#define RESULT_FIELDS(F, S)                                                                        \
    F(S, u64, id)                                                                                  \
    F(S, addr, worker)                                                                             \
    F(S, u64, count) /* tasks this state has seen, this one included */                            \
    F(S, u64, tag)   /* what init was given */                                                     \
    F(S, u32, err)   /* of the call in question */
TH_MESSAGE(result, RESULT_FIELDS);
TH_MESSAGE_TYPE(result, RESULT_FIELDS)

/* To a worker's own address. */
enum poking {
    POKE_ANSWER,  /* answer with what th_troupe_hold() says */
    POKE_RELEASE, /* if a task is held: th_troupe_done(), and answer its asker */
    POKE_DONE,    /* answer with what th_troupe_done() says */
    POKE_BLOCKED, /* th_troupe_done() inside a blocking call; answer with what that says */
    POKE_FAIL,    /* fail each time */
    POKE_DIE      /* exit */
};
#define POKE_FIELDS(F, S) F(S, u32, what)
TH_MESSAGE(poke, POKE_FIELDS);
TH_MESSAGE_TYPE(poke, POKE_FIELDS)

TH_SIGNAL(nothing);
TH_SIGNAL_TYPE(nothing)

/* ---- the worker ---- */

struct hand {
    uint64_t tag;
    uint64_t count;
    uint64_t held_id;
    th_addr asker;
};

static _Atomic unsigned crew_born, crew_gone, crew_inits_to_fail, crew_tries;

static th_err hand_init(th_self *self, void *state, const th_msg *arg)
{
    struct hand *hand = state;

    if (hand->count || hand->held_id)
        return th_fail(self, TH_E_STATE, "the state was not zeroed");
    hand->tag = arg ? task_of(arg)->id : 0;
    /* relaxed, here and below: counters that are read when all is quiet */
    atomic_fetch_add_explicit(&crew_born, 1, memory_order_relaxed);
    if (atomic_load_explicit(&crew_inits_to_fail, memory_order_relaxed) == 0)
        return TH_OK;
    atomic_fetch_sub_explicit(&crew_inits_to_fail, 1, memory_order_relaxed);
    return th_fail(self, TH_E_PARSE, "no hands today");
}

static th_err hand_answer(th_self *self, const struct hand *hand, th_addr to, uint64_t id,
                          th_err what)
{
    struct result result = {
        .id = id, .worker = th_self_addr(self), .count = hand->count, .tag = hand->tag, .err = what
    };

    return result_send(self, to, result);
}

static th_err hand_hold(th_self *self, struct hand *hand, const th_msg *msg)
{
    hand->held_id = task_of(msg)->id;
    hand->asker = th_msg_sender(msg);
    return th_troupe_hold(self);
}

static th_err hand_die(th_self *self, struct hand *hand, const th_msg *msg)
{
    th_err err = hand_hold(self, hand, msg);

    return err ? err : th_exit(self);
}

static unsigned hand_try(void)
{
    return atomic_fetch_add_explicit(&crew_tries, 1, memory_order_relaxed) + 1;
}

static th_err hand_task(th_self *self, void *state, const th_msg *msg)
{
    const struct task *task = task_of(msg);
    struct hand *hand = state;
    th_addr asker = th_msg_sender(msg);
    th_err err = TH_OK;

    hand->count++;
    switch ((enum what)task->what) {
    case QUIET: return TH_OK;
    case ECHO: break;
    case HOLD: err = hand_hold(self, hand, msg); break;
    case HOLD_DONE:
        err = hand_hold(self, hand, msg);
        if (!err)
            err = th_troupe_done(self);
        break;
    case FAIL: return th_fail(self, TH_E_PARSE, "cannot do %u", (unsigned)task->id);
    case FAIL_ONCE:
        if (hand_try() == 1)
            return TH_E_FAILED;
        break;
    case HOLD_FAIL: return hand_hold(self, hand, msg) ? TH_E_STATE : TH_E_FAILED;
    case DIE: return hand_die(self, hand, msg);
    case DIE_TWICE:
        if (hand_try() <= 2)
            return hand_die(self, hand, msg);
        break;
    case BLOCK: return th_blocking_begin(self);
    case LEAVE: err = th_exit(self); break;
    case SAY_STATE: err = th_self_state(self) == state ? TH_OK : TH_E_INVALID; break;
    }
    return hand_answer(self, hand, asker, task->id, err);
}

static th_err hand_poke(th_self *self, void *state, const th_msg *msg)
{
    struct hand *hand = state;
    th_err err;

    switch ((enum poking)poke_of(msg)->what) {
    case POKE_ANSWER: return hand_answer(self, hand, th_msg_sender(msg), 0, th_troupe_hold(self));
    case POKE_RELEASE:
        err = th_troupe_done(self);
        return err ? TH_OK : hand_answer(self, hand, hand->asker, hand->held_id, TH_OK);
    case POKE_DONE: return hand_answer(self, hand, th_msg_sender(msg), 0, th_troupe_done(self));
    case POKE_BLOCKED:
        err = th_blocking_begin(self);
        if (err)
            return err;
        err = th_troupe_done(self);
        return th_blocking_end(self) ? TH_E_STATE
                                     : hand_answer(self, hand, th_msg_sender(msg), 0, err);
    case POKE_FAIL: return TH_E_FAILED;
    case POKE_DIE: return th_exit(self);
    }
    return TH_E_INVALID;
}

static th_err hand_rest(th_self *self, void *state, const th_msg *msg)
{
    struct hand *hand = state;

    if (th_msg_type(msg)->flags & TH_TYPE_SYSTEM)
        return TH_OK;
    hand->count++;
    return hand_answer(self, hand, th_msg_sender(msg), 0, TH_OK);
}

static th_err hand_receive(th_self *self, void *state, const th_msg *msg)
{
    static const th_case cases[] = { { &task_type, hand_task },
                                     { &poke_type, hand_poke },
                                     { NULL, hand_rest } };

    return th_dispatch(self, state, msg, cases);
}

static void hand_exit(th_self *self, void *state)
{
    (void)self;
    (void)state;
    atomic_fetch_add_explicit(&crew_gone, 1, memory_order_relaxed);
}

#define HAND_CLASS(failure)                                                                        \
    {                                                                                              \
        .name = "hand", .state_size = sizeof(struct hand), .init = hand_init,                      \
        .receive = hand_receive, .exit = hand_exit, .on_failure = failure                          \
    }

static const th_class hand_class = HAND_CLASS(TH_ON_FAILURE_KEEP);

/* ---- verbs ---- */

static void crew_reset(void)
{
    atomic_store_explicit(&crew_born, 0, memory_order_relaxed);
    atomic_store_explicit(&crew_gone, 0, memory_order_relaxed);
    atomic_store_explicit(&crew_tries, 0, memory_order_relaxed);
    atomic_store_explicit(&crew_inits_to_fail, 0, memory_order_relaxed);
}

TH_UNUSED static unsigned crew_count(_Atomic unsigned *which)
{
    return atomic_load_explicit(which, memory_order_relaxed);
}

TH_UNUSED static th_addr crew_spawn(struct test_system *ts, const th_class *klass,
                                    th_troupe_options options)
{
    th_addr troupe;

    crew_reset();
    cr_assert_eq(th_troupe_spawn(ts->me, klass, NULL, &options, &troupe), TH_OK);
    return troupe;
}

TH_UNUSED static void crew_tell(struct test_system *ts, th_addr troupe, enum what what, uint64_t id)
{
    cr_assert_eq(task_send(ts->me, troupe, (struct task){ .what = what, .id = id }), TH_OK);
}

TH_UNUSED static void crew_poke(struct test_system *ts, th_addr worker, enum poking what)
{
    cr_assert_eq(poke_send(ts->me, worker, (struct poke){ .what = what }), TH_OK);
}

/* The next message to us, to be destroyed. */
TH_UNUSED static th_msg *crew_listen(struct test_system *ts)
{
    th_msg *msg = NULL;
    th_err err = th_listen(ts->me, TEST_PATIENCE, &msg);

    cr_assert_eq(err, TH_OK, "nothing came: %s", th_strerror(err));
    return msg;
}

TH_UNUSED static struct result crew_hear(struct test_system *ts)
{
    th_msg *msg = crew_listen(ts);
    struct result result;

    cr_assert_not_null(result_of(msg), "got a %s", th_type_name(th_msg_type(msg)));
    result = *result_of(msg);
    th_msg_destroy(ts->me, msg);
    return result;
}

/* The poison message that comes next: the task in it, its error. Its details go to @text. */
TH_UNUSED static struct task crew_hear_poison(struct test_system *ts, th_addr from, th_err *err_out,
                                              char *text, size_t size)
{
    th_msg *msg = crew_listen(ts);
    const struct th_poison *poison = th_poison_of(msg);
    struct task task;

    cr_assert_not_null(poison, "got a %s", th_type_name(th_msg_type(msg)));
    cr_assert(th_addr_equal(th_msg_sender(msg), from), "poison from somebody else");
    cr_assert_not_null(task_of(poison->message));
    cr_assert(th_addr_equal(th_msg_sender(poison->message), th_self_addr(ts->me)));
    task = *task_of(poison->message);
    *err_out = (th_err)poison->err;
    snprintf(text, size, "%s", poison->details ? poison->details->data : "");
    th_msg_destroy(ts->me, msg);
    return task;
}

TH_UNUSED static struct th_troupe_status crew_status(struct test_system *ts, th_addr troupe)
{
    struct th_troupe_status status;
    th_msg *answer = NULL;
    th_err err = th_ask(ts->me, troupe, th_msg_create(ts->me, &th_troupe_ask_status_type),
                        TEST_PATIENCE, &answer);

    cr_assert_eq(err, TH_OK, "no status: %s", th_strerror(err));
    cr_assert_not_null(th_troupe_status_of(answer));
    status = *th_troupe_status_of(answer);
    th_msg_destroy(ts->me, answer);
    cr_assert_eq(status.jobs,
                 status.done + status.poisoned + status.refused + status.pending + status.busy);
    return status;
}

/* Waits until no job is under way, and answers how the troupe is then. */
TH_UNUSED static struct th_troupe_status crew_settle(struct test_system *ts, th_addr troupe)
{
    struct th_troupe_status status;

    do
        status = crew_status(ts, troupe);
    while (status.pending || status.busy);
    return status;
}

/* Waits until @workers are left. */
TH_UNUSED static struct th_troupe_status crew_await(struct test_system *ts, th_addr troupe,
                                                    uint32_t workers)
{
    struct th_troupe_status status;

    do
        status = crew_status(ts, troupe);
    while (status.workers != workers);
    return status;
}

/* Dead letters come to us from now on. */
TH_UNUSED static void crew_mourn(struct test_system *ts)
{
    th_system_status status;

    cr_assert_eq(th_dead_letters_to_me(ts->me, true), TH_OK);
    if (test_is_simple(ts))
        cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    do
        cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    while (status.dead_letter_handlers == 0);
}

TH_UNUSED static struct task crew_hear_letter(struct test_system *ts, th_addr target,
                                              th_dead_reason reason)
{
    th_msg *msg = crew_listen(ts);
    const struct th_dead_letter *letter = th_dead_letter_of(msg);
    struct task task;

    cr_assert_not_null(letter, "got a %s", th_type_name(th_msg_type(msg)));
    cr_assert_eq(letter->reason, reason, "%s", th_dead_reason_text(letter->reason));
    cr_assert(th_addr_equal(letter->target, target));
    cr_assert_not_null(task_of(letter->message));
    task = *task_of(letter->message);
    th_msg_destroy(ts->me, msg);
    return task;
}

#endif
