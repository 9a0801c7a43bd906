/* "Is all handled that I sent before this?", answered by the runtime. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

#include <thespis/testkit.h>

static th_err slow_receive(th_self *self, void *state, const th_msg *msg)
{
    uint32_t *seen = state;

    if (talk_is(msg, "fail"))
        return TH_E_FAILED;
    if (talk_is(msg, "how many?"))
        return talk_count(self, th_msg_sender(msg), *seen);
    *seen += talk_word_of(msg) != NULL;
    return TH_OK;
}

static const th_class slow = { .name = "slow",
                               .state_size = sizeof(uint32_t),
                               .receive = slow_receive };

static void ask(th_self *me, th_addr whom, uint64_t token)
{
    must(th_ask_handled_send(me, whom, (struct th_ask_handled){ .token = token }));
}

BOTH_BASES(handled, is_answered_behind_what_was_sent_before)
{
    th_addr actor = talk_create(ts->me, &slow);

    for (uint64_t i = 1; i <= 100; i++) {
        th_msg *msg;

        must(talk_say(ts->me, actor, "work"));
        ask(ts->me, actor, i);
        must(talk_say(ts->me, actor, "how many?"));
        must(th_listen(ts->me, TALK_PATIENCE, &msg)); /* no handler saw the question */
        cr_assert_not_null(th_handled_of(msg));
        cr_assert_eq(th_handled_of(msg)->token, i);
        cr_assert(th_addr_equal(th_msg_sender(msg), actor));
        th_msg_destroy(ts->me, msg);
        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        cr_assert_eq(talk_number_of(msg)->value, i);
        th_msg_destroy(ts->me, msg);
    }
}

/* On the simple base, where we see the mailbox: it does not overtake. */
Test(handled, keeps_its_place)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = talk_create(ts.me, &slow);
    const th_msg *msg;

    must(talk_say(ts.me, actor, "one"));
    must(talk_say(ts.me, actor, "two"));
    ask(ts.me, actor, 7);
    must(th_mailbox_peek(ts.sys, actor, 2, &msg));
    cr_assert_not_null(th_ask_handled_of(msg));
    must(th_run_until_idle(ts.sys, 0, NULL));
    test_system_close(&ts);
}

BOTH_BASES(handled, counts_what_failed)
{
    th_addr actor = talk_create(ts->me, &slow);
    bool poison = false, answer = false;
    th_msg *msg;

    must(talk_say(ts->me, actor, "fail"));
    ask(ts->me, actor, 1);
    for (int i = 0; i < 2; i++) {
        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        poison = poison || th_poison_of(msg);
        answer = answer || th_handled_of(msg);
        th_msg_destroy(ts->me, msg);
    }
    cr_assert(poison && answer);
}

BOTH_BASES(handled, of_a_dead_actor_is_no_dead_letter)
{
    th_addr guardian = talk_create(ts->me, &talk_guardian);
    th_addr dead = talk_raise(ts->me, guardian, &slow);
    struct th_ask_handled *body;
    uint64_t before;
    th_msg *answer;

    must(th_stop(ts->me, dead));
    talk_wait_for(ts->me, guardian, 1);
    before = talk_counts(ts->sys).dead;
    ask(ts->me, dead, 1);
    must_be(th_ask(ts->me, dead, th_ask_handled_new(ts->me, &body), TALK_PATIENCE, &answer),
            TH_E_NO_ACTOR);
    cr_assert_eq(talk_counts(ts->sys).dead, before);
}
