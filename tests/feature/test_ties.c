/* Who hears of whose end: reasons, watches, links.
 *
 * Past 500 lines: watches, links and reasons are three looks at the same ends. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <sched.h>
#include <thespis/testkit.h>

/* ---- an actor that ends as it is told ---- */

static th_err mortal_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_is(msg, "exit"))
        return th_exit(self);
    if (talk_is(msg, "fail"))
        return th_fail(self, TH_E_PARSE, "as told");
    if (talk_is(msg, "because"))
        return th_exit_because(self, TH_E_TOO_BIG, "word %d", 7);
    if (talk_is(msg, "well"))
        return th_exit_because(self, TH_OK, "all is done");
    if (talk_is(msg, "last words") && talk_say(self, th_msg_sender(msg), "farewell") == TH_OK)
        return th_exit(self);
    if (talk_whom_of(msg))
        return th_link(self, talk_whom_of(msg)->addr);
    if (talk_is(msg, "trap"))
        return th_trap_links(self, true);
    if (talk_is(msg, "there?"))
        return talk_say(self, th_msg_sender(msg), "here");
    return TH_OK;
}

static const th_class mortal = { .name = "mortal",
                                 .receive = mortal_receive,
                                 .on_failure = TH_ON_FAILURE_STOP };

static th_err stillborn_init(th_self *self, void *state, const th_msg *arg)
{
    return th_fail(self, TH_E_PARSE, "never");
}

static const th_class stillborn = { .name = "stillborn", .init = stillborn_init };

/* The next message is the end of @actor. */
static void hear_end(th_self *me, th_addr actor, th_exit_reason reason, th_err err,
                     const char *details)
{
    const struct th_actor_gone *gone;
    th_msg *msg;

    must(th_listen(me, TALK_PATIENCE, &msg));
    gone = th_actor_gone_of(msg);
    cr_assert_not_null(gone, "%s instead", th_type_name(th_msg_type(msg)));
    cr_assert(th_addr_equal(gone->actor, actor));
    cr_assert(th_addr_equal(th_msg_sender(msg), actor));
    cr_assert_eq(gone->reason, reason, "%s", th_exit_reason_text((th_exit_reason)gone->reason));
    cr_assert_eq(gone->err, err);
    cr_assert(!gone->linked);
    if (details)
        cr_assert_str_eq(gone->details ? gone->details->data : "(none)", details);
    else
        cr_assert_null(gone->details);
    th_msg_destroy(me, msg);
}

/* Until it is dead to the last: a question is given up a moment before. */
static void wait_dead(struct test_system *ts, th_addr actor)
{
    th_actor_status status;

    talk_expect_gone(ts->me, actor, "there?");
    while (th_actor_status_read(ts->sys, actor, &status) == TH_OK)
        sched_yield();
}

static th_addr watched(struct test_system *ts)
{
    th_addr actor = talk_create(ts->me, &mortal);

    must(th_watch_actor(ts->me, actor));
    return actor;
}

BOTH_BASES(ties, a_watcher_hears_every_reason)
{
    th_addr actor = watched(ts);

    must(talk_say(ts->me, actor, "exit"));
    hear_end(ts->me, actor, TH_EXIT_NORMAL, TH_OK, NULL);
    actor = watched(ts);
    must(th_stop(ts->me, actor));
    hear_end(ts->me, actor, TH_EXIT_REQUESTED, TH_OK, NULL);
    actor = watched(ts);
    must(th_stop_because(ts->me, actor, TH_E_LIMIT, "too %s", "many"));
    hear_end(ts->me, actor, TH_EXIT_CONDEMNED, TH_E_LIMIT, "too many");
    actor = watched(ts);
    must(th_stop_because(ts->me, actor, TH_OK, "closing time"));
    hear_end(ts->me, actor, TH_EXIT_REQUESTED, TH_OK, "closing time");
    actor = watched(ts);
    must(talk_say(ts->me, actor, "because"));
    hear_end(ts->me, actor, TH_EXIT_ERROR, TH_E_TOO_BIG, "word 7");
    actor = watched(ts);
    must(talk_say(ts->me, actor, "well"));
    hear_end(ts->me, actor, TH_EXIT_NORMAL, TH_OK, "all is done");
    actor = watched(ts);
    must(th_tell(ts->me, actor, talk_word(ts->me, "fail")));
    for (int i = 0; i < 2; i++) { /* its poison, and its end, in this order */
        th_msg *msg;

        if (i == 1) {
            hear_end(ts->me, actor, TH_EXIT_FAILED, TH_E_PARSE, "as told");
            break;
        }
        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        cr_assert_not_null(th_poison_of(msg));
        th_msg_destroy(ts->me, msg);
    }
    talk_hear_nothing(ts->me);
}

BOTH_BASES(ties, one_that_never_was_ends_by_its_init)
{
    th_addr actor;
    const struct th_actor_gone *gone;
    th_msg *msg;

    must(th_spawn(ts->me, &stillborn, NULL, &actor));
    must(th_watch_actor(ts->me, actor));
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    gone = th_actor_gone_of(msg);
    cr_assert_not_null(gone);
    if (test_is_simple(ts)) {
        cr_assert_eq(gone->reason, TH_EXIT_INIT);
        cr_assert_eq(gone->err, TH_E_PARSE);
        cr_assert_str_eq(gone->details->data, "never");
    } else { /* it may have been faster */
        cr_assert(gone->reason == TH_EXIT_INIT || gone->reason == TH_EXIT_GONE);
    }
    th_msg_destroy(ts->me, msg);
    talk_hear_nothing(ts->me);
}

BOTH_BASES(ties, the_dead_are_told_of_at_once)
{
    th_addr actor = talk_create(ts->me, &mortal);

    must(th_stop(ts->me, actor));
    wait_dead(ts, actor);
    for (int i = 0; i < 3; i++) {
        must(th_watch_actor(ts->me, actor));
        hear_end(ts->me, actor, TH_EXIT_GONE, TH_OK, NULL);
    }
    talk_hear_nothing(ts->me);
}

BOTH_BASES(ties, one_notice_for_a_watch_made_twice)
{
    th_addr actor = watched(ts);

    must(th_watch_actor(ts->me, actor));
    must(th_watch_actor(ts->me, actor));
    must(th_stop(ts->me, actor));
    hear_end(ts->me, actor, TH_EXIT_REQUESTED, TH_OK, NULL);
    talk_hear_nothing(ts->me);
    cr_assert_eq(talk_counts(ts->sys).watches, 1);
    cr_assert_eq(talk_counts(ts->sys).gone_told, 1);
}

BOTH_BASES(ties, last_words_come_before_the_end)
{
    for (int i = 0; i < 20; i++) {
        th_addr actor = watched(ts);

        must(talk_say(ts->me, actor, "last words"));
        talk_hear(ts->me, "farewell");
        hear_end(ts->me, actor, TH_EXIT_NORMAL, TH_OK, NULL);
    }
}

BOTH_BASES(ties, each_of_many_watchers_hears)
{
    enum { MANY = 20 };
    th_self *others[MANY];
    th_addr actor = watched(ts);

    for (int i = 0; i < MANY; i++) {
        must(th_endpoint_open(ts->sys, &others[i]));
        must(th_watch_actor(others[i], actor));
    }
    must(th_endpoint_close(others[3])); /* goes first */
    must(th_unwatch_actor(others[4], actor));
    must(talk_say(ts->me, actor, "exit"));
    hear_end(ts->me, actor, TH_EXIT_NORMAL, TH_OK, NULL);
    for (int i = 0; i < MANY; i++) {
        if (i == 3)
            continue;
        if (i == 4)
            talk_hear_nothing(others[i]);
        else
            hear_end(others[i], actor, TH_EXIT_NORMAL, TH_OK, NULL);
        must(th_endpoint_close(others[i]));
    }
    talk_expect_gone(ts->me, actor, "there?");
}

BOTH_BASES(ties, one_watcher_of_many)
{
    enum { MANY = 100 };
    th_addr actors[MANY];

    for (int i = 0; i < MANY; i++)
        actors[i] = watched(ts);
    for (int i = MANY; i-- > 0;)
        must(i % 2 ? th_stop(ts->me, actors[i]) : th_unwatch_actor(ts->me, actors[i]));
    for (int i = 0; i < MANY / 2; i++) {
        th_msg *msg;

        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        cr_assert_not_null(th_actor_gone_of(msg));
        th_msg_destroy(ts->me, msg);
    }
    talk_hear_nothing(ts->me);
}

BOTH_BASES(ties, what_is_taken_back_does_not_come)
{
    th_addr actor = watched(ts);

    must(th_stop(ts->me, actor));
    talk_expect_gone(ts->me, actor, "there?"); /* the notice waits in our mailbox */
    must(th_unwatch_actor(ts->me, actor));
    must_be(th_unwatch_actor(ts->me, actor), TH_E_STATE);
    talk_hear_nothing(ts->me);
    actor = watched(ts);
    must(th_unwatch_actor(ts->me, actor));
    must(th_watch_actor(ts->me, actor));
    must(th_stop(ts->me, actor));
    hear_end(ts->me, actor, TH_EXIT_REQUESTED, TH_OK, NULL);
    must_be(th_unwatch_actor(ts->me, actor), TH_E_STATE);
}

/* Watches whom it is told to, and reports to who told it. */
struct sentry {
    th_addr client;
};

static th_err sentry_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sentry *sentry = state;
    const struct th_actor_gone *gone = th_actor_gone_of(msg);

    if (gone)
        return talk_count(self, sentry->client, gone->reason + (gone->linked ? 100 : 0));
    if (talk_whom_of(msg)) {
        sentry->client = th_msg_sender(msg);
        return th_watch_actor(self, talk_whom_of(msg)->addr);
    }
    return mortal_receive(self, state, msg);
}

static const th_class sentry = { .name = "sentry",
                                 .state_size = sizeof(struct sentry),
                                 .receive = sentry_receive };

static th_err tell_whom(th_self *me, th_addr to, th_addr whom)
{
    return talk_whom_send(me, to, (struct talk_whom){ .addr = whom });
}

BOTH_BASES(ties, an_actor_watches_like_anybody)
{
    th_addr watcher = talk_create(ts->me, &sentry), actor = talk_create(ts->me, &mortal);

    must(tell_whom(ts->me, watcher, actor));
    must(tell_whom(ts->me, watcher, actor));
    talk_expect(ts->me, watcher, "there?", "here");
    must(talk_say(ts->me, actor, "because"));
    talk_hear_number(ts->me, TH_EXIT_ERROR);
    talk_hear_nothing(ts->me);
}

BOTH_BASES(ties, a_watcher_may_go_first)
{
    th_addr watcher = talk_create(ts->me, &sentry), actor = talk_create(ts->me, &mortal);

    must(tell_whom(ts->me, watcher, actor));
    talk_expect(ts->me, watcher, "there?", "here");
    must(th_stop(ts->me, watcher));
    talk_expect_gone(ts->me, watcher, "there?");
    talk_expect(ts->me, actor, "there?", "here");
    must(th_stop(ts->me, actor));
    talk_expect_gone(ts->me, actor, "there?");
    cr_assert_eq(talk_counts(ts->sys).gone_told, 0, "it was taken back");
    talk_hear_nothing(ts->me);
}

/* A shutdown with watches both ways, round in a circle, and of an endpoint. */
BOTH_BASES(ties, a_shutdown_is_an_end_like_any_other)
{
    enum { CIRCLE = 10 };
    th_addr actors[CIRCLE];

    for (int i = 0; i < CIRCLE; i++)
        actors[i] = talk_create(ts->me, i % 2 ? &mortal : &sentry);
    for (int i = 0; i < CIRCLE; i++) {
        must(tell_whom(ts->me, actors[i], actors[(i + 1) % CIRCLE]));
        must(th_watch_actor(ts->me, actors[i]));
    }
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
    must_be(th_watch_actor(ts->me, actors[0]), TH_E_CLOSED);
    must_be(th_unwatch_actor(ts->me, actors[0]), TH_E_CLOSED);
}

/* ---- links ---- */

static th_addr link_to(struct test_system *ts, th_addr other)
{
    th_addr actor = talk_create(ts->me, &mortal);

    must(tell_whom(ts->me, actor, other));
    talk_expect(ts->me, actor, "there?", "here");
    talk_expect(ts->me, other, "there?", "here");
    return actor;
}

BOTH_BASES(ties, the_linked_share_a_failure_either_way)
{
    for (int way = 0; way < 2; way++) {
        th_addr one = talk_create(ts->me, &mortal), two = link_to(ts, one);
        th_addr ends = way ? one : two, shares = way ? two : one;

        must(th_watch_actor(ts->me, shares));
        must(talk_say(ts->me, ends, "because"));
        hear_end(ts->me, shares, TH_EXIT_LINK, TH_E_TOO_BIG, "word 7");
    }
}

BOTH_BASES(ties, a_chain_of_links_falls)
{
    enum { LINKS = 30 };
    th_addr first = talk_create(ts->me, &mortal), last = first;

    for (int i = 0; i < LINKS; i++)
        last = link_to(ts, last);
    must(th_watch_actor(ts->me, last));
    must(th_stop_because(ts->me, first, TH_E_FAILED, NULL));
    hear_end(ts->me, last, TH_EXIT_LINK, TH_E_FAILED, NULL);
}

BOTH_BASES(ties, an_orderly_end_is_not_shared)
{
    th_addr one = talk_create(ts->me, &mortal), two = link_to(ts, one);

    must(talk_say(ts->me, one, "exit"));
    talk_expect_gone(ts->me, one, "there?");
    talk_expect(ts->me, two, "there?", "here");
    one = link_to(ts, two);
    must(th_stop(ts->me, two));
    talk_expect_gone(ts->me, two, "there?");
    talk_expect(ts->me, one, "there?", "here");
}

BOTH_BASES(ties, to_link_to_the_dead_is_a_failure)
{
    th_addr dead = talk_create(ts->me, &mortal), actor = watched(ts);

    must(th_stop(ts->me, dead));
    wait_dead(ts, dead);
    must(tell_whom(ts->me, actor, dead));
    hear_end(ts->me, actor, TH_EXIT_LINK, TH_OK, NULL);
}

struct trapper {
    th_addr client;
};

static th_err trapper_receive(th_self *self, void *state, const th_msg *msg)
{
    struct trapper *trapper = state;
    const struct th_actor_gone *gone = th_actor_gone_of(msg);

    if (gone)
        return talk_count(self, trapper->client, gone->reason + (gone->linked ? 100 : 0));
    if (talk_whom_of(msg)) {
        trapper->client = th_msg_sender(msg);
        return th_trap_links(self, true) ? TH_E_NOMEM : th_link(self, talk_whom_of(msg)->addr);
    }
    return mortal_receive(self, state, msg);
}

static const th_class trapper = { .name = "trapper",
                                  .state_size = sizeof(struct trapper),
                                  .receive = trapper_receive };

BOTH_BASES(ties, who_traps_is_told_instead)
{
    th_addr actor = talk_create(ts->me, &trapper), other = talk_create(ts->me, &mortal);

    must(tell_whom(ts->me, actor, other));
    talk_expect(ts->me, actor, "there?", "here");
    must(talk_say(ts->me, other, "because"));
    talk_hear_number(ts->me, 100 + TH_EXIT_ERROR);
    other = talk_create(ts->me, &mortal);
    must(tell_whom(ts->me, actor, other));
    talk_expect(ts->me, actor, "there?", "here");
    must(talk_say(ts->me, other, "exit"));
    talk_hear_number(ts->me, 100 + TH_EXIT_NORMAL);
    talk_expect(ts->me, actor, "there?", "here");
}

/* Links, unlinks, and links again, at once. */
static th_err fickle_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct talk_whom *whom = talk_whom_of(msg);

    if (!whom)
        return mortal_receive(self, state, msg);
    if (th_link(self, whom->addr) || th_unlink(self, whom->addr) ||
        th_unlink(self, whom->addr) != TH_E_STATE)
        return th_exit(self);
    return TH_OK;
}

static const th_class fickle = { .name = "fickle", .receive = fickle_receive };

BOTH_BASES(ties, the_unlinked_go_on_alone)
{
    th_addr one = talk_create(ts->me, &fickle), two = talk_create(ts->me, &mortal);

    must(tell_whom(ts->me, one, two));
    talk_expect(ts->me, one, "there?", "here");
    must(talk_say(ts->me, two, "because"));
    talk_expect_gone(ts->me, two, "there?");
    talk_expect(ts->me, one, "there?", "here");
    two = talk_create(ts->me, &mortal);
    must(tell_whom(ts->me, one, two));
    talk_expect(ts->me, one, "there?", "here");
    must(th_stop_because(ts->me, one, TH_E_FAILED, NULL));
    talk_expect_gone(ts->me, one, "there?");
    talk_expect(ts->me, two, "there?", "here");
}

/* ---- reasons, to the actor itself ---- */

static th_err slow_leaver_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *client = state;
    th_exit_info info;

    if (talk_whom_of(msg)) {
        *client = talk_whom_of(msg)->addr;
        if (th_exit_later(self) != TH_E_STATE || th_exit_why(self, &info) != TH_E_STATE)
            return th_exit(self);
        return TH_OK;
    }
    if (th_exit_request_of(msg))
        return th_exit_later(self);
    if (talk_is(msg, "done"))
        return th_exit(self);
    return mortal_receive(self, state, msg);
}

static void slow_leaver_exit(th_self *self, void *state)
{
    char text[200];
    th_exit_info info;

    if (th_exit_why(self, &info))
        return;
    (void)th_exit_describe(info.reason, info.err, info.details, text, sizeof(text));
    (void)!th_send(self, *(th_addr *)state, talk_word(self, info.details ? info.details : "-"));
    (void)!talk_count(self, *(th_addr *)state, info.reason);
}

static const th_class slow_leaver = { .name = "slow leaver",
                                      .state_size = sizeof(th_addr),
                                      .receive = slow_leaver_receive,
                                      .exit = slow_leaver_exit };

BOTH_BASES(ties, an_exit_may_be_put_off)
{
    th_addr actor = talk_create(ts->me, &slow_leaver);

    must(th_watch_actor(ts->me, actor));
    must(tell_whom(ts->me, actor, th_self_addr(ts->me)));
    must(th_stop_because(ts->me, actor, TH_E_LIMIT, "enough"));
    talk_expect(ts->me, actor, "there?", "here");
    must(talk_say(ts->me, actor, "done"));
    talk_hear(ts->me, "enough");
    talk_hear_number(ts->me, TH_EXIT_CONDEMNED);
    hear_end(ts->me, actor, TH_EXIT_CONDEMNED, TH_E_LIMIT, "enough");
}

Test(ties, an_end_can_be_said)
{
    char text[100];

    cr_assert_eq(th_exit_describe(TH_EXIT_NORMAL, TH_OK, NULL, text, sizeof(text)),
                 strlen("it ended itself"));
    cr_assert_str_eq(text, "it ended itself");
    cr_assert_gt(th_exit_describe(TH_EXIT_ERROR, TH_E_NOMEM, "words", text, 8), 8);
    cr_assert_str_eq(text, "it ende");
    cr_assert_gt(th_exit_describe(TH_EXIT_ERROR, TH_E_NOMEM, "words", NULL, 0), 8);
    for (int reason = 0; reason < TH_EXIT_COUNT + 3; reason++)
        cr_assert_eq(th_exit_is_failure((th_exit_reason)reason),
                     reason == TH_EXIT_INIT || reason == TH_EXIT_FAILED ||
                         (reason >= TH_EXIT_CAPABILITY && reason < TH_EXIT_COUNT));
}

/* ---- the parent is told of a start ---- */

static th_err nursery_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr *client = state, child;
    th_spawn_options how = { .klass = &mortal, .tell_started = true };

    if (th_child_started_of(msg))
        return talk_count(self, *client, 1);
    if (th_child_exited_of(msg))
        return talk_count(self, *client, 2);
    if (!talk_word_of(msg))
        return TH_OK;
    *client = th_msg_sender(msg);
    if (talk_is(msg, "stillborn"))
        how.klass = &stillborn;
    return th_spawn_with(self, &how, &child);
}

static const th_class nursery = { .name = "nursery",
                                  .state_size = sizeof(th_addr),
                                  .receive = nursery_receive };

BOTH_BASES(ties, a_parent_may_hear_of_a_start)
{
    th_addr parent = talk_create(ts->me, &nursery);

    must(talk_say(ts->me, parent, "child"));
    talk_hear_number(ts->me, 1);
    must(talk_say(ts->me, parent, "stillborn"));
    talk_hear_number(ts->me, 2);
    talk_hear_nothing(ts->me);
}

/* ---- bad input ---- */

static th_err asks_badly(th_self *self, void *state, const th_msg *msg)
{
    th_addr other = talk_whom_of(msg) ? talk_whom_of(msg)->addr : th_addr_none();
    th_addr admin = { th_system_id(th_self_system(self)), 0, 1 };
    uint64_t ns;
    th_err blocked;
    bool fine = th_link(self, th_addr_none()) == TH_E_INVALID &&
                th_link(self, th_self_addr(self)) == TH_E_INVALID &&
                th_watch_actor(self, th_self_addr(self)) == TH_E_INVALID &&
                th_link(self, (th_addr){ 1, 2, 3 }) == TH_E_FOREIGN &&
                th_link(self, th_msg_sender(msg)) == TH_E_NO_ACTOR &&
                th_link(self, admin) == TH_E_NOT_ALLOWED && th_unlink(self, other) == TH_E_STATE &&
                th_trap_links(self, false) == TH_OK && th_exit_why(self, NULL) == TH_E_INVALID;

    blocked = th_virtual_now(th_self_system(self), &ns) == TH_E_WRONG_BASE ? TH_E_STATE : TH_OK;
    fine = fine && th_blocking_begin(self) == TH_OK && th_watch_actor(self, other) == blocked &&
           th_link(self, other) == blocked && th_unlink(self, other) == blocked &&
           th_blocking_end(self) == TH_OK;
    return talk_count(self, th_msg_sender(msg), fine);
}

static const th_class bad_asker = { .name = "bad asker", .receive = asks_badly };

BOTH_BASES(ties, are_not_made_with_just_anything)
{
    th_addr actor = talk_create(ts->me, &mortal), admin = { th_system_id(ts->sys), 0, 1 };
    th_self *other;
    th_exit_info info;

    must(th_endpoint_open(ts->sys, &other));
    must_be(th_watch_actor(NULL, actor), TH_E_INVALID);
    must_be(th_watch_actor(ts->me, th_addr_none()), TH_E_INVALID);
    must_be(th_watch_actor(ts->me, th_self_addr(ts->me)), TH_E_INVALID);
    must_be(th_watch_actor(ts->me, th_self_addr(other)), TH_E_NO_ACTOR);
    must_be(th_watch_actor(ts->me, (th_addr){ 1, 2, 3 }), TH_E_FOREIGN);
    must_be(th_watch_actor(ts->me, admin), TH_E_NOT_ALLOWED);
    must_be(th_unwatch_actor(NULL, actor), TH_E_INVALID);
    must_be(th_unwatch_actor(ts->me, actor), TH_E_STATE);
    must_be(th_link(NULL, actor), TH_E_INVALID);
    must_be(th_link(ts->me, actor), TH_E_NOT_HERE);
    must_be(th_unlink(NULL, actor), TH_E_INVALID);
    must_be(th_unlink(ts->me, actor), TH_E_NOT_HERE);
    must_be(th_trap_links(NULL, true), TH_E_INVALID);
    must_be(th_trap_links(ts->me, true), TH_E_NOT_HERE);
    must_be(th_exit_because(NULL, TH_OK, NULL), TH_E_INVALID);
    must_be(th_exit_because(ts->me, TH_OK, NULL), TH_E_NOT_HERE);
    must_be(th_stop_because(NULL, actor, TH_OK, NULL), TH_E_INVALID);
    must_be(th_stop_because(ts->me, th_addr_none(), TH_OK, NULL), TH_E_INVALID);
    must_be(th_stop_because(ts->me, th_self_addr(other), TH_OK, "no"), TH_E_NOT_ALLOWED);
    must_be(th_exit_later(NULL), TH_E_INVALID);
    must_be(th_exit_later(ts->me), TH_E_NOT_HERE);
    must_be(th_exit_why(NULL, &info), TH_E_INVALID);
    must_be(th_exit_why(ts->me, &info), TH_E_NOT_HERE);
    must(th_endpoint_close(other));
    must(tell_whom(ts->me, talk_create(ts->me, &bad_asker), actor));
    talk_hear_number(ts->me, 1);
}

BOTH_BASES(ties, have_a_limit, .timeout = 60)
{
    th_addr actor = talk_create(ts->me, &mortal), nobody = actor;

    for (uint32_t i = 0; i < TH_TIES_MAX; i++) {
        nobody.slot = i % 1000 + 100000; /* the dead: their notices wait */
        nobody.generation = i / 1000 + 1;
        must(th_watch_actor(ts->me, nobody));
    }
    must_be(th_watch_actor(ts->me, actor), TH_E_LIMIT);
    must(th_unwatch_actor(ts->me, nobody));
    must(th_watch_actor(ts->me, actor));
}

/* ---- without memory: one notice, or a refusal ---- */

Test(ties, are_kept_although_memory_is_short, .timeout = 60)
{
    for (uint64_t nth = 1; nth <= 20; nth++) {
        struct test_system ts = test_system_open(TH_BASE_SIMPLE, nth);
        th_addr actor = talk_create(ts.me, &mortal);
        th_err err;
        th_msg *msg;

        must(th_inject_nomem(ts.sys, nth, false));
        err = th_watch_actor(ts.me, actor);
        cr_assert(err == TH_OK || err == TH_E_NOMEM);
        must(th_advance(ts.sys, 3 * TH_STALL_NS));
        while (th_stop(ts.me, actor) != TH_OK)
            ;
        must(th_advance(ts.sys, 3 * TH_STALL_NS));
        must(th_inject_nomem(ts.sys, 0, false));
        if (!err) {
            must(th_listen(ts.me, 0, &msg));
            cr_assert_eq(th_actor_gone_of(msg)->reason, TH_EXIT_REQUESTED);
            th_msg_destroy(ts.me, msg);
        }
        talk_hear_nothing(ts.me);
        test_system_close(&ts);
    }
}
