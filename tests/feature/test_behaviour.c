/* Become, stash, and waiting for first messages. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

static th_err say_back(th_self *self, const th_msg *msg, const char *who)
{
    return talk_say(self, th_msg_sender(msg), who);
}

/* ---- become: a door ---- */

static th_err open_receive(th_self *self, void *state, const th_msg *msg);
static const th_behaviour open_behaviour = { .name = "open", .receive = open_receive };

static th_err locked_word(th_self *self, void *state, const th_msg *msg)
{
    th_err err = TH_OK;

    if (talk_is(msg, "key")) {
        err = th_become(self, &open_behaviour);
        return err ? err : say_back(self, msg, "unlocked");
    }
    return talk_is(msg, "push") ? say_back(self, msg, "stays shut") : TH_SUPER;
}

static const th_case locked_cases[] = { { &talk_word_type, locked_word }, { NULL, NULL } };
static const th_behaviour locked_behaviour = { .name = "locked", .cases = locked_cases };

static th_err open_receive(th_self *self, void *state, const th_msg *msg)
{
    th_err err = TH_OK;

    if (talk_is(msg, "push"))
        return say_back(self, msg, "opens");
    if (talk_is(msg, "lock"))
        err = th_become_over(self, &locked_behaviour);
    else if (talk_is(msg, "back"))
        err = th_unbecome(self);
    else
        return TH_SUPER;
    return err ? err : say_back(self, msg, "done");
}

static th_err door_receive(th_self *self, void *state, const th_msg *msg)
{
    const th_behaviour *now = th_self_behaviour(self);
    th_err err;

    if (talk_is(msg, "what?"))
        return say_back(self, msg, now ? now->name : "door");
    if (talk_is(msg, "push"))
        return say_back(self, msg, "is new");
    if (talk_is(msg, "lock")) {
        err = th_become(self, &locked_behaviour);
        return err ? err : say_back(self, msg, "locked");
    }
    if (talk_is(msg, "pile up")) {
        for (int i = 0; i < TH_BEHAVIOURS_MAX; i++)
            if ((err = th_become_over(self, &open_behaviour)))
                return err;
        return say_back(self, msg, th_err_name(th_become_over(self, &open_behaviour)));
    }
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    return TH_OK;
}

static const th_class door_class = { .name = "door", .receive = door_receive };
static const th_class mended_class = { .name = "mended door",
                                       .receive = door_receive,
                                       .on_failure = TH_ON_FAILURE_RESTART };

static void check_door(struct test_system *ts, th_addr door)
{
    talk_expect(ts->me, door, "push", "is new");
    talk_expect(ts->me, door, "lock", "locked");
    talk_expect(ts->me, door, "push", "stays shut");
    talk_expect(ts->me, door, "what?", "locked"); /* passed on to the class */
    talk_expect(ts->me, door, "key", "unlocked");
    talk_expect(ts->me, door, "push", "opens");
    talk_expect(ts->me, door, "what?", "open");
}

BOTH_BASES(behaviour, becomes_and_returns)
{
    th_addr door = talk_create(ts->me, &door_class);

    check_door(ts, door);
    talk_expect(ts->me, door, "lock", "done"); /* on top of open */
    talk_expect(ts->me, door, "push", "stays shut");
    talk_expect(ts->me, door, "key", "unlocked"); /* in its place */
    talk_expect(ts->me, door, "back", "done");
    talk_expect(ts->me, door, "push", "opens");
    talk_expect(ts->me, door, "back", "done");
    talk_expect(ts->me, door, "push", "is new");
}

BOTH_BASES(behaviour, piles_up_to_a_limit_and_a_restart_forgets_it)
{
    th_addr door = talk_create(ts->me, &mended_class);
    th_msg *poison;

    talk_expect(ts->me, door, "pile up", "TH_E_LIMIT");
    talk_expect(ts->me, door, "push", "opens");
    poison = talk_ask(ts->me, door, "fail");
    cr_assert_not_null(th_poison_of(poison));
    th_msg_destroy(ts->me, poison);
    talk_expect(ts->me, door, "push", "is new");
}

BOTH_BASES(behaviour, a_troupes_worker_becomes_and_still_reports)
{
    th_troupe_options one = { .workers_max = 1, .idle_max = 1 };
    th_addr troupe;

    must(th_troupe_spawn(ts->me, &door_class, NULL, &one, &troupe));
    check_door(ts, troupe); /* each job is done, or the next would wait for ever */
}

/* ---- stash ---- */

enum { LINE = 5 };

struct clerk {
    th_addr client;
    bool is_open;
};

static th_err clerk_receive(th_self *self, void *state, const th_msg *msg)
{
    struct clerk *clerk = state;
    uint32_t count = 0;
    th_err err;

    if (talk_is(msg, "open")) {
        clerk->is_open = true;
        err = th_unstash_all(self, &count);
        return err ? err : talk_count(self, th_msg_sender(msg), count);
    }
    if (talk_is(msg, "close")) {
        clerk->is_open = false;
        return say_back(self, msg, "closed");
    }
    if (talk_is(msg, "how many?"))
        return talk_count(self, th_msg_sender(msg), th_stashed(self));
    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    if (talk_is(msg, "keep and fail"))
        return th_stash(self, msg) ? TH_E_INVALID : TH_E_FAILED;
    if (th_msg_type(msg)->flags & TH_TYPE_SYSTEM)
        return th_stash(self, msg) == TH_E_NOT_ALLOWED ? TH_OK : TH_E_FAILED;
    return clerk->is_open ? th_forward(self, th_msg_sender(msg), msg) : th_stash(self, msg);
}

static const th_class clerk_class = { .name = "clerk",
                                      .state_size = sizeof(struct clerk),
                                      .receive = clerk_receive };
static const th_class reborn_class = { .name = "reborn clerk",
                                       .state_size = sizeof(struct clerk),
                                       .receive = clerk_receive,
                                       .on_failure = TH_ON_FAILURE_RESTART };

static void send_line(struct test_system *ts, th_addr to)
{
    for (int i = 0; i < LINE; i++)
        must(talk_count(ts->me, to, i));
}

static void hear_number(struct test_system *ts, int64_t value)
{
    th_msg *msg = NULL;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(talk_number_of(msg));
    cr_assert_eq(talk_number_of(msg)->value, value);
    th_msg_destroy(ts->me, msg);
}

BOTH_BASES(stash, comes_back_in_order_before_what_came_later)
{
    th_addr clerk = talk_create(ts->me, &clerk_class);
    th_actor_status status;

    send_line(ts, clerk);
    cr_assert_eq(talk_ask_number(ts->me, clerk, "how many?"), LINE);
    must(th_actor_status_read(ts->sys, clerk, &status));
    cr_assert_eq(status.stashed, LINE);
    cr_assert_eq(status.waiting, LINE);
    must(talk_say(ts->me, clerk, "open"));
    must(talk_count(ts->me, clerk, LINE));
    hear_number(ts, LINE); /* the answer to "open" */
    for (int i = 0; i <= LINE; i++)
        hear_number(ts, i);
    cr_assert_eq(talk_ask_number(ts->me, clerk, "how many?"), 0);
    cr_assert_eq(talk_counts(ts->sys).stashed, LINE);
    cr_assert_eq(talk_counts(ts->sys).unstashed, LINE);
}

BOTH_BASES(stash, may_be_filled_again)
{
    th_addr clerk = talk_create(ts->me, &clerk_class);

    for (int round = 0; round < 3; round++) {
        send_line(ts, clerk);
        cr_assert_eq(talk_ask_number(ts->me, clerk, "open"), LINE);
        for (int i = 0; i < LINE; i++)
            hear_number(ts, i);
        talk_expect(ts->me, clerk, "close", "closed");
    }
}

BOTH_BASES(stash, is_dead_letters_at_the_end)
{
    th_addr clerk, guardian = talk_create(ts->me, &talk_guardian);
    th_counts counts;

    clerk = talk_raise(ts->me, guardian, &clerk_class);
    send_line(ts, clerk);
    must(th_stop(ts->me, clerk));
    talk_wait_for(ts->me, guardian, 1);
    counts = talk_counts(ts->sys);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_WAITING], LINE);
    cr_assert_eq(counts.stashed, counts.unstashed);
}

BOTH_BASES(stash, keeps_nothing_that_failed)
{
    th_addr clerk = talk_create(ts->me, &clerk_class);
    th_msg *poison = talk_ask(ts->me, clerk, "keep and fail");

    cr_assert_not_null(th_poison_of(poison));
    th_msg_destroy(ts->me, poison);
    cr_assert_eq(talk_ask_number(ts->me, clerk, "how many?"), 0);
}

BOTH_BASES(stash, survives_a_restart)
{
    th_addr clerk = talk_create(ts->me, &reborn_class);
    th_msg *poison;

    send_line(ts, clerk);
    poison = talk_ask(ts->me, clerk, "fail");
    cr_assert_not_null(th_poison_of(poison));
    th_msg_destroy(ts->me, poison);
    /* put back, and stashed again by the new one */
    cr_assert_eq(talk_ask_number(ts->me, clerk, "open"), LINE);
    for (int i = 0; i < LINE; i++)
        hear_number(ts, i);
    cr_assert_eq(talk_counts(ts->sys).stashed, 2 * LINE);
}

BOTH_BASES(stash, has_a_limit)
{
    th_addr clerk = talk_create(ts->me, &clerk_class);
    th_msg *poison = NULL;

    for (int i = 0; i <= TH_STASH_MAX; i++)
        must(talk_count(ts->me, clerk, i));
    must(th_listen(ts->me, TALK_PATIENCE, &poison));
    cr_assert_not_null(th_poison_of(poison));
    cr_assert_eq(th_poison_of(poison)->err, TH_E_LIMIT);
    th_msg_destroy(ts->me, poison);
    cr_assert_eq(talk_ask_number(ts->me, clerk, "how many?"), TH_STASH_MAX);
    cr_assert_eq(talk_counts(ts->sys).stash_refused, TH_DELIVERIES_MAX);
}

/* stashes what it is not handling */
static th_err liar_receive(th_self *self, void *state, const th_msg *msg)
{
    th_msg *copy = talk_word_of(msg) ? th_msg_dup(self, msg) : NULL;
    th_err err = copy ? th_stash(self, copy) : TH_OK;

    th_msg_destroy(self, copy);
    return err;
}

BOTH_BASES(stash, of_another_message_is_a_failure)
{
    static const th_class liar_class = { .name = "liar", .receive = liar_receive };
    th_msg *poison = talk_ask(ts->me, talk_create(ts->me, &liar_class), "this one");

    cr_assert_not_null(th_poison_of(poison));
    cr_assert_eq(th_poison_of(poison)->err, TH_E_INVALID);
    th_msg_destroy(ts->me, poison);
}

BOTH_BASES(stash, of_a_troupes_worker_keeps_the_job)
{
    th_troupe_options one = { .workers_max = 1, .idle_max = 1 };
    th_msg *status = NULL;
    th_addr troupe;

    must(th_troupe_spawn(ts->me, &clerk_class, NULL, &one, &troupe));
    must(talk_count(ts->me, troupe, 7));
    must(th_ask(ts->me, troupe, th_msg_create(ts->me, &th_troupe_ask_status_type), TALK_PATIENCE,
                &status));
    cr_assert_not_null(th_troupe_status_of(status));
    cr_assert_eq(th_troupe_status_of(status)->done, 0);
    th_msg_destroy(ts->me, status);
}

/* ---- first messages ---- */

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
        return say_back(self, msg, "early");
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
        hear_number(ts, 9);
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
