/* A message whose handler fails goes back to its sender, and to nobody else. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

struct poison_test {
    th_addr recorder;
};

static const th_class poison_test_class;

/* One more level: the next actor learns who records, then gets the next number. */
static th_err descend(th_self *self, struct poison_test *state, int64_t level)
{
    th_addr next;
    th_err err;

    if (level == 3)
        return th_fail(self, TH_E_FAILED, "Yucky number 3");
    err = th_spawn(self, th_self_class(self), NULL, &next);
    if (!err)
        err = talk_whom_send(self, next, (struct talk_whom){ .addr = state->recorder });
    return err ? err : talk_count(self, next, level + 1);
}

static th_err poison_test_receive(th_self *self, void *opaque, const th_msg *msg)
{
    struct poison_test *state = opaque;

    if (th_poison_of(msg))
        return talk_say(self, state->recorder,
                        th_addr_equal(th_msg_sender(msg), th_self_addr(self)) ? "from myself!"
                                                                              : "poisoned");
    if (talk_whom_of(msg)) {
        state->recorder = talk_whom_of(msg)->addr;
        return TH_OK;
    }
    if (talk_number_of(msg))
        return descend(self, state, talk_number_of(msg)->value);
    return talk_is(msg, "Hello") ? talk_say(self, th_msg_sender(msg), "hi") : TH_OK;
}

static const th_class poison_test_class = { .name = "poison_test",
                                            .state_size = sizeof(struct poison_test),
                                            .receive = poison_test_receive };

/* The recorder: how many were poisoned; "from myself!" is one too many, and of the wrong kind. */
static th_addr start(th_self *me, th_addr *recorder)
{
    th_addr top = talk_create(me, &poison_test_class);

    *recorder = talk_create(me, &talk_counter);
    must(talk_whom_send(me, top, (struct talk_whom){ .addr = *recorder }));
    cr_assert_eq(talk_ask_number(me, *recorder, "count?"), 0);
    return top;
}

static void check_level(th_self *me, int64_t level)
{
    th_addr recorder, top = start(me, &recorder);

    must(talk_count(me, top, level));
    talk_wait_for(me, recorder, 1);
    must(talk_count(me, top, level));
    must(talk_count(me, top, level));
    talk_wait_for(me, recorder, 3);
    talk_hear_nothing(me);
    cr_assert_eq(talk_ask_number(me, recorder, "count?"), 3);
}

static void hear_poison(th_self *me, int64_t value, th_addr from)
{
    th_msg *msg = NULL;
    const struct th_poison *poison;

    must(th_listen(me, TALK_PATIENCE, &msg));
    poison = th_poison_of(msg);
    cr_assert_not_null(poison);
    cr_assert_eq(talk_number_of(poison->message)->value, value);
    cr_assert_str_eq(poison->details->data, "Yucky number 3");
    cr_assert(th_addr_equal(th_msg_sender(msg), from));
    th_msg_destroy(me, msg);
}

BOTH_BASES(poison_message, two_levels_up)
{
    check_level(ts->me, 1);
}

BOTH_BASES(poison_message, one_level_up)
{
    check_level(ts->me, 2);
}

BOTH_BASES(poison_message, to_who_told)
{
    th_addr recorder, top = start(ts->me, &recorder);

    talk_expect(ts->me, top, "Hello", "hi");
    must(talk_count(ts->me, top, 3));
    hear_poison(ts->me, 3, top);
    talk_expect(ts->me, top, "Hello", "hi");
    must(talk_count(ts->me, top, 3));
    must(talk_count(ts->me, top, 3));
    hear_poison(ts->me, 3, top);
    hear_poison(ts->me, 3, top);
    talk_hear_nothing(ts->me);
    cr_assert_eq(talk_ask_number(ts->me, recorder, "count?"), 0);
    talk_expect(ts->me, top, "Hello", "hi");
}

BOTH_BASES(poison_message, to_who_asked)
{
    th_addr recorder, top = start(ts->me, &recorder);

    talk_expect(ts->me, top, "Hello", "hi");
    for (int i = 0; i < 3; i++) {
        struct talk_number *body;
        th_msg *question = talk_number_new(ts->me, &body), *answer = NULL;

        cr_assert_not_null(question);
        body->value = 3;
        must(th_ask(ts->me, top, question, TALK_PATIENCE, &answer));
        cr_assert_not_null(th_poison_of(answer));
        cr_assert_eq(talk_number_of(th_poison_of(answer)->message)->value, 3);
        th_msg_destroy(ts->me, answer);
    }
    talk_expect(ts->me, top, "Hello", "hi");
    cr_assert_eq(talk_ask_number(ts->me, recorder, "count?"), 0);
    talk_hear_nothing(ts->me);
}

/* ---- news that nobody wants ---- */

static th_err quits(th_self *self, void *state, const th_msg *msg)
{
    return th_exit(self);
}

static const th_class quitter = { .name = "quitter", .receive = quits };

struct no_bad_news {
    int64_t deliveries;
    struct talk_waiter waiter;
};

static th_err no_bad_news_receive(th_self *self, void *opaque, const th_msg *msg)
{
    struct no_bad_news *state = opaque;
    th_addr child;
    th_err err;

    if (th_child_exited_of(msg)) {
        err = talk_waiter_check(self, &state->waiter, ++state->deliveries);
        return err ? err : th_fail(self, TH_E_FAILED, "do not give me bad news");
    }
    if (th_poison_of(msg))
        state->deliveries += 100; /* which would be seen below */
    if (talk_is(msg, "deliveries?"))
        return talk_count(self, th_msg_sender(msg), state->deliveries);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &state->waiter, msg, state->deliveries);
    if (!talk_is(msg, "have a quitter"))
        return TH_OK;
    err = th_spawn(self, &quitter, NULL, &child);
    return err ? err : talk_say(self, child, "quit");
}

static const th_class no_bad_news_class = { .name = "no_bad_news",
                                            .state_size = sizeof(struct no_bad_news),
                                            .receive = no_bad_news_receive };

/* A handler that fails on child-exited fails on it as often as on anything, and that was that. */
BOTH_BASES(poison_message, bad_news_does_not_go_round)
{
    th_addr actor = talk_create(ts->me, &no_bad_news_class);

    must(talk_say(ts->me, actor, "have a quitter"));
    talk_wait_for(ts->me, actor, TH_DELIVERIES_MAX);
    talk_hear_nothing(ts->me);
    cr_assert_eq(talk_ask_number(ts->me, actor, "deliveries?"), TH_DELIVERIES_MAX);
    must(th_stop(ts->me, actor));
    talk_expect_gone(ts->me, actor, "gone?");
}

/* A handler that fails on poison: tried as often as anything, then a dead letter, never poison of
 * poison. */
static th_err allergic_receive(th_self *self, void *opaque, const th_msg *msg)
{
    struct no_bad_news *state = opaque;

    if (th_poison_of(msg)) {
        th_err err = talk_waiter_check(self, &state->waiter, ++state->deliveries);

        return err ? err : th_fail(self, TH_E_FAILED, "allergic");
    }
    if (talk_is(msg, "deliveries?"))
        return talk_count(self, th_msg_sender(msg), state->deliveries);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &state->waiter, msg, state->deliveries);
    if (talk_whom_of(msg))
        return talk_count(self, talk_whom_of(msg)->addr, 3);
    return TH_OK;
}

static const th_class allergic_class = { .name = "allergic",
                                         .state_size = sizeof(struct no_bad_news),
                                         .receive = allergic_receive };

BOTH_BASES(poison_message, poison_is_never_poisoned)
{
    th_addr recorder, top = start(ts->me, &recorder);
    th_addr actor = talk_create(ts->me, &allergic_class);

    must(talk_whom_send(ts->me, actor, (struct talk_whom){ .addr = top }));
    talk_wait_for(ts->me, actor, TH_DELIVERIES_MAX);
    talk_hear_nothing(ts->me);
    cr_assert_eq(talk_ask_number(ts->me, actor, "deliveries?"), TH_DELIVERIES_MAX);
    cr_assert_eq(talk_ask_number(ts->me, recorder, "count?"), 0);
    cr_assert_eq(talk_counts(ts->sys).dead_by_reason[TH_DEAD_POISON], 1);
    cr_assert_eq(talk_counts(ts->sys).poisoned, 1);
}

/* ---- a bad address ---- */

static th_err dummy_receive(th_self *self, void *state, const th_msg *msg)
{
    th_err err;

    if (talk_is(msg, "Aside")) {
        err = talk_say(self, th_addr_none(), "hello");
        return th_fail(self, err, "to the audience: %s", th_strerror(err));
    }
    return talk_word_of(msg) ? talk_say(self, th_msg_sender(msg), "Greetings.") : TH_OK;
}

static const th_class dummy = { .name = "dummy", .receive = dummy_receive };

BOTH_BASES(poison_message, a_bad_address_is_an_error_and_poison)
{
    th_addr actor = talk_create(ts->me, &dummy);
    th_msg *answer = talk_ask(ts->me, actor, "Aside");
    const struct th_poison *poison = th_poison_of(answer);

    cr_assert_not_null(poison);
    cr_assert(talk_is(poison->message, "Aside"));
    cr_assert_eq(poison->err, TH_E_INVALID);
    cr_assert_eq(strncmp(poison->details->data, "to the audience: ", 17), 0);
    th_msg_destroy(ts->me, answer);
    talk_expect(ts->me, actor, "hello", "Greetings.");
}

/* ---- how a message fails ---- */

struct flaky {
    int64_t seen;
};

static th_err flaky_receive(th_self *self, void *opaque, const th_msg *msg)
{
    struct flaky *state = opaque;

    if (talk_is(msg, "seen?"))
        return talk_count(self, th_msg_sender(msg), state->seen);
    if (!talk_number_of(msg))
        return TH_OK;
    /* 13 fails always, others never: deliveries in order are 12, 13, 13, 14 */
    state->seen = state->seen * 100 + talk_number_of(msg)->value;
    return talk_number_of(msg)->value == 13 ? TH_E_FAILED : TH_OK;
}

static const th_class flaky_class = { .name = "flaky",
                                      .state_size = sizeof(struct flaky),
                                      .receive = flaky_receive };

BOTH_BASES(poison_message, a_retry_comes_before_the_next_message)
{
    th_addr actor = talk_create(ts->me, &flaky_class);
    th_msg *msg = NULL;

    must(talk_count(ts->me, actor, 12));
    must(talk_count(ts->me, actor, 13));
    must(talk_count(ts->me, actor, 14));
    cr_assert_eq(talk_ask_number(ts->me, actor, "seen?"), 12131314);
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    /* nothing was said about why: the error's own text serves */
    cr_assert_str_eq(th_poison_of(msg)->details->data, th_strerror(TH_E_FAILED));
    cr_assert_eq(th_poison_of(msg)->deliveries, 2);
    th_msg_destroy(ts->me, msg);
}

/* A restarted actor keeps its address and its mail, and loses its state. */
static const th_class phoenix_class = { .name = "phoenix",
                                        .state_size = sizeof(struct flaky),
                                        .receive = flaky_receive,
                                        .on_failure = TH_ON_FAILURE_RESTART };

BOTH_BASES(poison_message, a_restart_forgets_and_goes_on)
{
    th_addr actor = talk_create(ts->me, &phoenix_class);
    th_msg *msg = NULL;

    must(talk_count(ts->me, actor, 12));
    must(talk_count(ts->me, actor, 13));
    must(talk_count(ts->me, actor, 14));
    cr_assert_eq(talk_ask_number(ts->me, actor, "seen?"), 14);
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    th_msg_destroy(ts->me, msg);
}
