/* Mail put aside for later. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

static th_err say_back(th_self *self, const th_msg *msg, const char *who)
{
    return talk_say(self, th_msg_sender(msg), who);
}

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
    talk_hear_number(ts->me, LINE); /* the answer to "open" */
    for (int i = 0; i <= LINE; i++)
        talk_hear_number(ts->me, i);
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
            talk_hear_number(ts->me, i);
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
        talk_hear_number(ts->me, i);
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
