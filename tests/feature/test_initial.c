/* Actors that wait for their first messages. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

TH_SIGNAL(ground);
TH_SIGNAL_TYPE(ground)
TH_SIGNAL(gravel); /* is ground, too */
TH_SIGNAL_TYPE_AS(gravel, 0, &ground_type)

struct mason {
    th_addr from;
    int64_t stones;
    bool is_ready;
};

static th_err mason_ready(th_self *self, void *state, const th_msg *const *got)
{
    struct mason *mason = state;

    if (talk_number_of(got[1])->value < 0)
        return th_fail(self, TH_E_FAILED, "fewer stones than none");
    mason->from = th_msg_sender(got[0]);
    mason->stones = talk_number_of(got[1])->value;
    mason->is_ready = true;
    return talk_say(self, mason->from, "ready");
}

static th_err mason_receive(th_self *self, void *state, const th_msg *msg)
{
    struct mason *mason = state;

    if (th_msg_type(msg)->flags & TH_TYPE_SYSTEM)
        return TH_OK;
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    if (talk_is(msg, "stones?"))
        return talk_count(self, th_msg_sender(msg), mason->stones);
    if (!mason->is_ready) /* shown, or a bug */
        return talk_say(self, th_msg_sender(msg), "early");
    return th_forward(self, th_msg_sender(msg), msg);
}

static const th_type *const mason_types[] = { &ground_type, &talk_number_type, NULL };
static const th_initial mason_initial = { .types = mason_types, .ready = mason_ready };
static const th_class mason_class = { .name = "mason",
                                      .state_size = sizeof(struct mason),
                                      .receive = mason_receive,
                                      .initial = &mason_initial };
static const th_class heir_class = { .name = "heir",
                                     .state_size = sizeof(struct mason),
                                     .receive = mason_receive,
                                     .base = &mason_class };
static const th_class lasting_class = { .name = "lasting mason",
                                        .state_size = sizeof(struct mason),
                                        .receive = mason_receive,
                                        .initial = &mason_initial,
                                        .on_failure = TH_ON_FAILURE_RESTART };

static void check_mason(struct test_system *ts, th_addr mason)
{
    must(talk_say(ts->me, mason, "one"));
    must(talk_count(ts->me, mason, 5));
    must(talk_say(ts->me, mason, "two"));
    must(talk_count(ts->me, mason, 6)); /* the last counts */
    must(talk_say(ts->me, mason, "fail"));
    talk_hear_nothing(ts->me);
    must(th_send(ts->me, mason, gravel_new(ts->me, NULL)));
    must(talk_say(ts->me, mason, "three"));
    talk_hear(ts->me, "ready");
    talk_hear(ts->me, "one");
    talk_hear(ts->me, "two");
}

static void hear_poison(struct test_system *ts, th_err err)
{
    th_msg *msg = NULL;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_poison_of(msg));
    cr_assert_eq(th_poison_of(msg)->err, err);
    th_msg_destroy(ts->me, msg);
}

BOTH_BASES(initial, waits_for_all_and_then_takes_the_rest_in_order)
{
    th_addr mason = talk_create(ts->me, &mason_class), other = talk_create(ts->me, &heir_class);

    for (int i = 0; i < 2; i++) { /* each instance for itself, and a derived class the same */
        check_mason(ts, i ? other : mason);
        hear_poison(ts, TH_E_FAILED); /* one that fails does not keep the others */
        talk_hear(ts->me, "three");
        cr_assert_eq(talk_ask_number(ts->me, i ? other : mason, "stones?"), 6);
        must(talk_count(ts->me, i ? other : mason, 9)); /* a message like any other now */
        talk_hear_number(ts->me, 9);
    }
}

BOTH_BASES(initial, a_restart_is_given_the_same_messages)
{
    th_addr mason = talk_create(ts->me, &lasting_class);

    check_mason(ts, mason);
    hear_poison(ts, TH_E_FAILED);
    talk_hear(ts->me, "ready");
    talk_hear(ts->me, "three");
    cr_assert_eq(talk_ask_number(ts->me, mason, "stones?"), 6);
}

BOTH_BASES(initial, ready_that_fails_waits_on)
{
    th_addr mason = talk_create(ts->me, &mason_class);

    must(th_send(ts->me, mason, ground_new(ts->me, NULL)));
    must(talk_count(ts->me, mason, -1));
    hear_poison(ts, TH_E_FAILED);
    must(th_send(ts->me, mason, ground_new(ts->me, NULL))); /* the number is still waited for */
    must(talk_say(ts->me, mason, "one"));
    must(talk_count(ts->me, mason, 1));
    talk_hear(ts->me, "ready");
    talk_hear(ts->me, "one");
}

BOTH_BASES(initial, what_came_too_early_dies_with_the_actor)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian), mason;
    th_actor_status status;

    mason = talk_raise(ts->me, guardian, &mason_class);
    must(talk_say(ts->me, mason, "one"));
    must(talk_count(ts->me, mason, 1));
    must(talk_count(ts->me, mason, 2));
    do
        must(th_actor_status_read(ts->sys, mason, &status));
    while (status.stashed < 2 && !test_is_simple(ts));
    must(th_stop(ts->me, mason)); /* the system's messages pass */
    talk_wait_for(ts->me, guardian, 1);
    cr_assert_eq(talk_counts(ts->sys).dead_by_reason[TH_DEAD_WAITING], 2);
}

static const th_initial shown_initial = { .types = mason_types,
                                          .ready = mason_ready,
                                          .shown = true };
static const th_class shown_class = { .name = "shown",
                                      .state_size = sizeof(struct mason),
                                      .receive = mason_receive,
                                      .initial = &shown_initial };

BOTH_BASES(initial, may_show_them_as_they_come)
{
    th_addr mason = talk_create(ts->me, &shown_class);

    must(talk_say(ts->me, mason, "one"));
    must(talk_count(ts->me, mason, 3));
    talk_hear(ts->me, "early");
    must(th_send(ts->me, mason, ground_new(ts->me, NULL)));
    talk_hear(ts->me, "early");
    talk_hear(ts->me, "ready");
    talk_hear(ts->me, "one");
}

/* One message that is of both types. */
static th_err both_ready(th_self *self, void *state, const th_msg *const *got)
{
    return talk_say(self, th_msg_sender(got[0]), got[0] == got[1] ? "one" : "two");
}

BOTH_BASES(initial, one_message_may_stand_for_two)
{
    static const th_type *const types[] = { &ground_type, &gravel_type, NULL };
    static const th_initial initial = { .types = types, .ready = both_ready };
    static const th_class classes[] = {
        { .name = "both", .initial = &initial },
        { .name = "both again", .initial = &initial, .on_failure = TH_ON_FAILURE_RESTART },
    };

    for (int i = 0; i < 2; i++) {
        th_addr actor = talk_create(ts->me, &classes[i]);

        must(th_send(ts->me, actor, ground_new(ts->me, NULL)));
        must(th_send(ts->me, actor, gravel_new(ts->me, NULL)));
        talk_hear(ts->me, "one");
    }
}

BOTH_BASES(initial, that_cannot_be_is_a_failing_init)
{
    static const th_type *const none[] = { NULL };
    static const th_type *const twice[] = { &ground_type, &ground_type, NULL };
    static const th_type *const systems[] = { &th_poison_type, NULL };
    static const th_initial broken[] = { { .types = none, .ready = mason_ready },
                                         { .types = twice, .ready = mason_ready },
                                         { .types = systems, .ready = mason_ready },
                                         { .types = mason_types } };
    static th_class klass = { .name = "broken" };
    th_addr addr;

    for (int i = 0; i < 4; i++) {
        klass.initial = &broken[i];
        must_be(
            th_create(ts->me, &(th_spawn_options){ .klass = &klass }, TALK_PATIENCE, &addr, NULL),
            TH_E_INIT);
    }
}
