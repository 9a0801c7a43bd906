/* Mailboxes with a limit: what is refused, dropped or held, what never is, and that all goes on.
 *
 * Past 500 lines: who is held, and who would be in a circle, are the same few actors. */
#include <string.h>

#include "tests/support/bounded.h"
#include "tests/support/talk.h"

/* ---- a receiver ---- */

#define DO_FIELDS(F, S) F(S, u32, what) F(S, addr, to) F(S, u32, count)
TH_MESSAGE(todo, DO_FIELDS);
TH_MESSAGE_TYPE(todo, DO_FIELDS)

enum what { SEND, ASK, WAKE };

/* What a worker saw; the test asks for it by a number: see count(). */
struct sink {
    struct talk_waiter waiter;
    int64_t numbers; /* talk_numbers with a value below 0 */
    uint64_t used_max;
    int64_t last;
    int64_t disorder;
};

static th_err sink_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sink *sink = state;
    const struct talk_number *number = talk_number_of(msg);
    th_mailbox_state box;

    if (bounded_stops_here(msg))
        return TH_OK;
    if (talk_is(msg, "most?"))
        return talk_count(self, th_msg_sender(msg), (int64_t)sink->used_max);
    if (talk_is(msg, "disorder?"))
        return talk_count(self, th_msg_sender(msg), sink->disorder);
    if (!number)
        return TH_OK;
    if (number->value >= 0)
        return talk_waiter_set(self, &sink->waiter, msg, sink->numbers);
    if (th_mailbox_read(th_self_system(self), th_self_addr(self), &box) == TH_OK &&
        box.used > sink->used_max)
        sink->used_max = box.used;
    sink->disorder += number->value >= sink->last && sink->last;
    sink->last = number->value;
    sink->numbers++;
    return talk_waiter_check(self, &sink->waiter, sink->numbers);
}

static const th_class sink_class = { .name = "sink",
                                     .state_size = sizeof(struct sink),
                                     .receive = sink_receive };

static th_addr make(struct test_system *ts, const th_class *klass, uint32_t limit, uint32_t low,
                    th_when_full when_full)
{
    return bounded_create(ts, klass, (th_mailbox){ limit, low, when_full });
}

static th_err put(struct test_system *ts, th_addr to, int64_t value)
{
    return talk_count(ts->me, to, value);
}

/* The number that answers @word, or without one the number @number; asked as soon as there is room
 * for the question. */
static int64_t ask_when_room(struct test_system *ts, th_addr to, const char *word, int64_t number)
{
    th_msg *answer = NULL;
    int64_t value = 0;
    th_err err;

    for (;;) {
        th_msg *question = talk_word(ts->me, word ? word : "");
        struct talk_number *body;

        if (!word) {
            th_msg_destroy(ts->me, question);
            question = talk_number_new(ts->me, &body);
            body->value = number;
        }
        err = th_ask(ts->me, to, question, TALK_PATIENCE, &answer);
        if (err != TH_E_FULL)
            break;
        bounded_let_run(ts);
    }
    must(err);
    cr_assert_not_null(talk_number_of(answer));
    value = talk_number_of(answer)->value;
    th_msg_destroy(ts->me, answer);
    return value;
}

static void wait_for(struct test_system *ts, th_addr sink, int64_t count)
{
    cr_assert_geq(ask_when_room(ts, sink, NULL, count), count);
}

/* ---- refused, dropped ---- */

BOTH_BASES(mailbox, a_full_one_that_fails_refuses)
{
    th_addr sink = make(ts, &sink_class, 3, 0, TH_WHEN_FULL_FAIL);
    uint64_t accepted;

    bounded_stop(ts, sink);
    for (int i = 1; i <= 3; i++)
        must(put(ts, sink, -i));
    cr_assert_eq(bounded_look(ts, sink).used, 3);
    accepted = talk_counts(ts->sys).accepted;
    must_be(put(ts, sink, -4), TH_E_FULL);
    must_be(put(ts, sink, -5), TH_E_FULL);
    cr_assert_eq(talk_counts(ts->sys).accepted, accepted);
    cr_assert_eq(talk_counts(ts->sys).full, 2);
    bounded_go_on(ts);
    wait_for(ts, sink, 3);
    cr_assert_eq(bounded_look(ts, sink).used, 0);
    must(put(ts, sink, -6));
    wait_for(ts, sink, 4);
    cr_assert_eq(ask_when_room(ts, sink, "disorder?", 0), 0);
}

BOTH_BASES(mailbox, a_full_one_that_drops_makes_dead_letters)
{
    th_addr sink = make(ts, &sink_class, 2, 1, TH_WHEN_FULL_DROP);
    th_msg *answer;

    must(th_dead_letters_to_me(ts->me, true));
    talk_expect_gone(ts->me, (th_addr){ th_system_id(ts->sys), 4711, 1 }, "the admin knows");
    must(th_listen(ts->me, TALK_PATIENCE, &answer));
    th_msg_destroy(ts->me, answer);
    bounded_stop(ts, sink);
    for (int i = 1; i <= 4; i++)
        must(put(ts, sink, -i));
    cr_assert_eq(talk_counts(ts->sys).dead_by_reason[TH_DEAD_FULL], 2);
    must_be(th_ask(ts->me, sink, talk_word(ts->me, "most?"), TALK_PATIENCE, &answer), TH_E_FULL);
    bounded_go_on(ts);
    for (int i = 3; i <= 5; i++) {
        must(th_listen(ts->me, TALK_PATIENCE, &answer));
        cr_assert_not_null(th_dead_letter_of(answer));
        cr_assert_eq(th_dead_letter_of(answer)->reason, TH_DEAD_FULL);
        if (i < 5)
            cr_assert_eq(talk_number_of(th_dead_letter_of(answer)->message)->value, -i);
        th_msg_destroy(ts->me, answer);
    }
    wait_for(ts, sink, 2);
    cr_assert_eq(talk_counts(ts->sys).full, 0);
}

BOTH_BASES(mailbox, threads_are_refused_where_actors_are_held)
{
    th_addr sink = make(ts, &sink_class, 2, 0, TH_WHEN_FULL_HOLD);
    th_msg *answer;

    bounded_stop(ts, sink);
    must(put(ts, sink, -1));
    must(put(ts, sink, -2));
    must_be(put(ts, sink, -3), TH_E_FULL);
    must_be(th_ask(ts->me, sink, talk_word(ts->me, "most?"), TALK_PATIENCE, &answer), TH_E_FULL);
    bounded_go_on(ts);
    wait_for(ts, sink, 2);
    cr_assert_eq(talk_counts(ts->sys).full, 1);
    cr_assert_eq(talk_counts(ts->sys).holds, 0);
}

BOTH_BASES(mailbox, what_the_system_says_always_fits)
{
    th_addr sink = make(ts, &sink_class, 1, 0, TH_WHEN_FULL_FAIL);
    th_mailbox_state state;

    bounded_stop(ts, sink);
    must(put(ts, sink, -1));
    must_be(put(ts, sink, -2), TH_E_FULL);
    must(th_stop(ts->me, sink));
    must(th_stop(ts->me, sink));
    cr_assert_eq(bounded_look(ts, sink).used, 1);
    bounded_go_on(ts);
    bounded_wait_until_gone(ts, sink);
    must_be(th_mailbox_read(ts->sys, sink, &state), TH_E_NO_ACTOR);
    must(put(ts, sink, -3)); /* to the dead it is a dead letter, as ever */
}

BOTH_BASES(mailbox, a_forwarded_message_counts_too)
{
    th_addr sink = make(ts, &sink_class, 1, 0, TH_WHEN_FULL_FAIL);
    struct talk_number *body;
    th_msg *msg = talk_number_new(ts->me, &body);

    body->value = -1;
    bounded_stop(ts, sink);
    must(th_forward(ts->me, sink, msg));
    must_be(th_forward(ts->me, sink, msg), TH_E_FULL);
    bounded_go_on(ts);
    th_msg_destroy(ts->me, msg);
    wait_for(ts, sink, 1);
}

/* ---- held ---- */

/* Sends as it is told; counts what it hears. */
struct hose {
    struct talk_waiter waiter;
    int64_t words, wakeups, answers;
};

static th_err hose_answered(th_self *self, void *state, const th_msg *answer, th_err err,
                            uint64_t token)
{
    ((struct hose *)state)->answers += 1 + (err == TH_E_FULL) * 100;
    return TH_OK;
}

static th_err hose_todo(th_self *self, struct hose *hose, const struct todo *todo)
{
    struct todo rest = *todo;
    th_err err = TH_OK;

    switch ((enum what)todo->what) {
    case SEND: /* one each time it is run */
        err = talk_count(self, todo->to, -(int64_t)todo->count);
        rest.count--;
        return err || rest.count == 0 ? err : todo_send(self, th_self_addr(self), rest);
    case ASK:
        return th_ask_then(self, todo->to, talk_word(self, "disorder?"), TH_FOREVER, hose_answered,
                           0);
    case WAKE: return th_wakeup_after(self, 0, NULL, NULL);
    }
    return TH_OK;
}

static th_err hose_receive(th_self *self, void *state, const th_msg *msg)
{
    struct hose *hose = state;

    if (bounded_stops_here(msg))
        return TH_OK;
    if (todo_of(msg))
        return hose_todo(self, hose, todo_of(msg));
    hose->wakeups += th_wakeup_of(msg) != NULL;
    hose->words += talk_is(msg, "word");
    if (talk_is(msg, "words?"))
        return talk_count(self, th_msg_sender(msg), hose->words);
    if (talk_is(msg, "wakeups?"))
        return talk_count(self, th_msg_sender(msg), hose->wakeups);
    if (talk_is(msg, "answers?"))
        return talk_count(self, th_msg_sender(msg), hose->answers);
    return TH_OK;
}

static const th_class hose_class = { .name = "hose",
                                     .state_size = sizeof(struct hose),
                                     .receive = hose_receive };

static void order(struct test_system *ts, th_addr hose, enum what what, th_addr to, uint32_t count)
{
    must(todo_send(ts->me, hose, (struct todo){ .what = what, .to = to, .count = count }));
}

static void run_hoses(struct test_system *ts, uint32_t limit, uint32_t low, int hoses,
                      uint32_t each)
{
    th_addr sink = make(ts, &sink_class, limit, low, TH_WHEN_FULL_HOLD);

    bounded_stop(ts, sink);
    for (int i = 0; i < hoses; i++)
        order(ts, talk_create(ts->me, &hose_class), SEND, sink, each);
    bounded_wait_for_waiters(ts, sink, (uint32_t)hoses);
    bounded_go_on(ts);
    cr_assert_eq(ask_when_room(ts, sink, NULL, (int64_t)hoses * each), (int64_t)hoses * each);
    /* our question may be one more */
    cr_assert_leq(ask_when_room(ts, sink, "most?", 0), (int64_t)limit + hoses);
    while (bounded_look(ts, sink).used) /* the last ones come back when its turn ends */
        bounded_let_run(ts);
    cr_assert_eq(bounded_look(ts, sink).waiters, 0);
    cr_assert_geq(talk_counts(ts->sys).holds, test_is_simple(ts) ? 1 : (uint64_t)hoses);
    if (hoses == 1)
        cr_assert_eq(ask_when_room(ts, sink, "disorder?", 0), each - 1); /* they count down */
}

BOTH_BASES(mailbox, a_held_sender_keeps_the_mailbox_small)
{
    run_hoses(ts, 1, 0, 1, 500);
    run_hoses(ts, 2, 0, 3, 500);
    run_hoses(ts, 3, 2, 2, 500);
    run_hoses(ts, 64, 0, 4, 500);
}

BOTH_BASES(mailbox, a_held_sender_hears_the_system_and_its_answers)
{
    th_addr sink = make(ts, &sink_class, 1, 0, TH_WHEN_FULL_HOLD);
    th_addr hose = make(ts, &hose_class, 100, 0, TH_WHEN_FULL_FAIL);
    th_addr friend = talk_create(ts->me, &sink_class);

    if (test_is_simple(ts)) /* seen step by step below */
        return;
    bounded_stop(ts, sink);
    order(ts, hose, ASK, friend, 0);
    order(ts, hose, SEND, sink, 1);
    bounded_wait_until_held(ts, hose);
    must(talk_say(ts->me, hose, "word"));
    must(th_stop(ts->me, friend)); /* somebody else's business goes on */
    cr_assert_eq(bounded_look(ts, sink).waiters, 1);
    cr_assert_eq(bounded_look(ts, sink).used, 1);
    bounded_go_on(ts);
    wait_for(ts, sink, 1);
    cr_assert_eq(talk_ask_number(ts->me, hose, "words?"), 1);
    cr_assert_eq(talk_ask_number(ts->me, hose, "answers?"), 1);
}

/* A turn of the one actor that is meant: with seed 0 who was woken first runs first. */
static void run_held(th_self *me, th_system *sys, th_addr sink, th_addr hose)
{
    bool ran;

    for (int i = 0; i < 50; i++) {
        th_mailbox_state state;

        must(th_mailbox_read(sys, hose, &state));
        if (state.is_held)
            return;
        must(th_step(sys, &ran));
    }
    cr_assert_fail("the sender was never held");
}

static th_system *simple_system(th_self **me_out)
{
    th_system *sys = th_system_create(&(th_options){ .base = TH_BASE_SIMPLE });

    must(th_system_start(sys));
    *me_out = th_system_self(sys);
    return sys;
}

/* Keeps the sink from running: it is held itself, on one that never runs out of mail. */
Test(mailbox, step_by_step_while_held)
{
    th_self *me;
    th_system *sys = simple_system(&me);
    th_spawn_options bounded = { .klass = &sink_class, .mailbox = { 1, 0, TH_WHEN_FULL_HOLD } };
    th_addr sink, hose, echo;
    const th_msg *first;
    size_t depth;

    must(th_spawn_with(me, &bounded, &sink));
    must(th_spawn(me, &hose_class, NULL, &hose));
    must(th_spawn(me, &talk_echo, NULL, &echo));
    must(th_run_until_idle(sys, 0, NULL));
    must(todo_send(me, hose, (struct todo){ .what = ASK, .to = echo }));
    must(todo_send(me, hose, (struct todo){ .what = WAKE }));
    must(todo_send(me, hose, (struct todo){ .what = SEND, .to = sink, .count = 1 }));
    must(talk_say(me, hose, "word"));
    run_held(me, sys, sink, hose);
    must(th_mailbox_depth(sys, hose, &depth));
    cr_assert_geq(depth, 1);
    must(th_mailbox_peek(sys, hose, depth - 1, &first));
    cr_assert(talk_is(first, "word"));
    must(th_run_until_idle(sys, 0, NULL));
    must(th_mailbox_depth(sys, hose, &depth));
    cr_assert_eq(depth, 0);
    cr_assert_eq(talk_ask_number(me, hose, "words?"), 1);
    cr_assert_eq(talk_ask_number(me, hose, "answers?"), 1);
    cr_assert_eq(talk_counts(sys).holds, 1);
    must(th_system_shutdown(sys, TALK_PATIENCE, NULL, NULL));
    must(th_system_destroy(sys));
}

/* ---- no deadlock ---- */

/* Passes each number on, twice, until it is used up. */
struct knot {
    th_addr next;
    th_addr outside;
    int64_t got;
};

static th_err knot_receive(th_self *self, void *state, const th_msg *msg)
{
    struct knot *knot = state;
    const struct talk_number *number = talk_number_of(msg);
    th_err err = TH_OK;

    if (talk_whom_of(msg)) {
        knot->next = talk_whom_of(msg)->addr;
        knot->outside = th_msg_sender(msg);
        return TH_OK;
    }
    if (talk_is(msg, "got?"))
        return talk_count(self, th_msg_sender(msg), knot->got);
    if (!number)
        return TH_OK;
    knot->got++;
    if (number->value > 0) {
        err = talk_count(self, knot->next, number->value - 1);
        if (!err)
            err = talk_count(self, knot->next, number->value - 1);
    }
    return err;
}

static const th_class knot_class = { .name = "knot",
                                     .state_size = sizeof(struct knot),
                                     .receive = knot_receive,
                                     .mailbox = { .limit = 1, .when_full = TH_WHEN_FULL_HOLD } };

enum { KNOTS_MAX = 6, DEPTH = 9 };

static void run_circle(struct test_system *ts, int knots, uint32_t limit)
{
    th_addr addrs[KNOTS_MAX];
    uint64_t expected = 0;
    uint64_t before = talk_counts(ts->sys).hold_circles;

    for (int i = 0; i < knots; i++)
        addrs[i] = make(ts, &knot_class, limit, 0, TH_WHEN_FULL_HOLD);
    for (int i = 0; i < knots; i++) {
        must(talk_whom_send(ts->me, addrs[i], (struct talk_whom){ addrs[(i + 1) % knots] }));
        (void)ask_when_room(ts, addrs[i], "got?", 0);
    }
    for (int i = 0; i < knots; i++) {
        while (talk_count(ts->me, addrs[i], DEPTH) == TH_E_FULL)
            bounded_let_run(ts);
        expected += (2u << DEPTH) - 1;
    }
    for (uint64_t got = 0; got != expected;) {
        got = 0;
        for (int i = 0; i < knots; i++)
            got += (uint64_t)ask_when_room(ts, addrs[i], "got?", 0);
    }
    if (limit == 1)
        cr_assert_gt(talk_counts(ts->sys).hold_circles, before);
}

BOTH_BASES(mailbox, circles_of_any_length_go_on)
{
    for (uint32_t limit = 1; limit <= 3; limit++)
        for (int knots = 1; knots <= KNOTS_MAX; knots++)
            run_circle(ts, knots, limit);
}

BOTH_BASES(mailbox, the_end_of_a_target_lets_its_senders_go)
{
    th_addr sink = make(ts, &sink_class, 1, 0, TH_WHEN_FULL_HOLD);
    th_addr hose = make(ts, &hose_class, 10, 0, TH_WHEN_FULL_FAIL);

    bounded_stop(ts, sink);
    must(th_stop(ts->me, sink));
    order(ts, hose, SEND, sink, 1);
    bounded_wait_until_held(ts, hose);
    must(talk_say(ts->me, hose, "word"));
    bounded_go_on(ts);
    cr_assert_eq(talk_ask_number(ts->me, hose, "words?"), 1);
    cr_assert_not(bounded_look(ts, hose).is_held);
    bounded_wait_until_gone(ts, sink);
}

BOTH_BASES(mailbox, a_shutdown_does_not_wait_for_the_held)
{
    th_addr far = make(ts, &sink_class, 1, 0, TH_WHEN_FULL_HOLD), to = far;

    bounded_stop(ts, far);
    for (int i = 0; i < 3; i++) { /* each held on the one before, the first on a frozen one */
        th_addr hose = make(ts, &hose_class, 2, 0, TH_WHEN_FULL_HOLD);

        order(ts, hose, SEND, to, 2);
        if (!test_is_simple(ts) && i == 0)
            while (!bounded_look(ts, hose).is_held)
                bounded_let_run(ts);
        to = hose;
    }
    bounded_go_on(ts);
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
}

/* Held by what its init sends, and by what an actor with a thread of its own does. */
static th_addr init_target;

static th_err eager_init(th_self *self, void *state, const th_msg *arg)
{
    for (int i = 1; i <= 5; i++) {
        th_err err = talk_count(self, init_target, -i);

        if (err)
            return err;
    }
    return TH_OK;
}

static const th_class eager_class = {
    .name = "eager", .state_size = sizeof(struct hose), .init = eager_init, .receive = hose_receive
};

BOTH_BASES(mailbox, init_and_own_threads_are_held_alike)
{
    th_spawn_options own = { .klass = &hose_class, .own_thread = true };
    th_addr sink = make(ts, &sink_class, 1, 0, TH_WHEN_FULL_HOLD), hose, eager;
    const int64_t many = 300;

    must(th_spawn_with(ts->me, &own, &hose));
    bounded_stop(ts, sink);
    order(ts, hose, SEND, sink, (uint32_t)many);
    bounded_wait_for_waiters(ts, sink, 1);
    bounded_go_on(ts);
    cr_assert_eq(ask_when_room(ts, sink, NULL, many), many);
    init_target = sink;
    eager = talk_create(ts->me, &eager_class);
    cr_assert_eq(talk_ask_number(ts->me, eager, "words?"), 0);
    cr_assert_eq(ask_when_room(ts, sink, NULL, many + 5), many + 5);
    cr_assert_gt(talk_counts(ts->sys).holds, 0);
}

/* ---- what nobody can have meant ---- */

BOTH_BASES(mailbox, absurd_limits_are_refused)
{
    static const th_mailbox wrong[] = {
        { .limit = 3, .low = 3 },
        { .limit = 3, .low = 4 },
        { .low = 1 },
        { .when_full = TH_WHEN_FULL_HOLD },
        { .limit = TH_MAILBOX_LIMIT_MAX + 1 },
        { .limit = 3, .when_full = (th_when_full)3 },
        { .limit = 3, .when_full = (th_when_full)-1 },
        { .limit = TH_MAILBOX_UNBOUNDED, .low = 1 },
    };
    th_class klass = { .name = "wrong" };
    th_addr addr;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        th_spawn_options options = { .klass = &talk_counter, .mailbox = wrong[i] };

        must_be(th_spawn_with(ts->me, &options, &addr), TH_E_INVALID);
        klass.mailbox = wrong[i];
        must_be(th_spawn(ts->me, &klass, NULL, &addr), TH_E_INVALID);
    }
}

static void append(void *context, const char *bytes, size_t size)
{
    strncat(context, bytes, size);
}

BOTH_BASES(mailbox, an_actors_status_says_how_full_it_is)
{
    static char text[65536];
    th_addr sink = make(ts, &sink_class, 3, 0, TH_WHEN_FULL_FAIL);
    th_actor_status status;

    if (test_is_simple(ts))
        must(put(ts, sink, -1));
    must(th_actor_status_read(ts->sys, sink, &status));
    cr_assert_eq(status.mailbox.limit, 3);
    cr_assert_eq(status.mailbox.used, test_is_simple(ts));
    text[0] = '\0';
    must(th_status_write(ts->sys, TH_STATUS_JSON, TH_STATUS_ACTORS, append, text));
    cr_assert_not_null(strstr(text, "\"credits_max\":3"), "%s", text);
    text[0] = '\0';
    must(th_status_write(ts->sys, TH_STATUS_TEXT, TH_STATUS_ACTORS, append, text));
    cr_assert_not_null(strstr(text, test_is_simple(ts) ? "credits 1" : "credits 0"), "%s", text);
}

BOTH_BASES(mailbox, an_option_beats_the_class)
{
    th_spawn_options free = { .klass = &knot_class, .mailbox = { .limit = TH_MAILBOX_UNBOUNDED } };
    th_addr addr;

    must(th_create(ts->me, &free, TALK_PATIENCE, &addr, NULL));
    cr_assert_eq(bounded_look(ts, addr).limit, 0);
    addr = make(ts, &knot_class, 16, 0, TH_WHEN_FULL_DROP);
    cr_assert_eq(bounded_look(ts, addr).limit, 16);
    cr_assert_eq(bounded_look(ts, addr).low, 8);
    cr_assert_eq(bounded_look(ts, addr).high, 12);
    cr_assert_eq(bounded_look(ts, addr).when_full, TH_WHEN_FULL_DROP);
    addr = talk_create(ts->me, &knot_class);
    cr_assert_eq(bounded_look(ts, addr).limit, 1);
    cr_assert_eq(bounded_look(ts, addr).low, 0);
    must_be(th_mailbox_read(ts->sys, addr, NULL), TH_E_INVALID);
}
