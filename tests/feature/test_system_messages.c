/* What is the system's: nobody else makes it, and ask and listen never show it. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

/* Poses as a message of the system. */
TH_SIGNAL(fake);
TH_SIGNAL_TYPE_AS(fake, TH_TYPE_SYSTEM, NULL)

static th_err echo_receive(th_self *self, void *state, const th_msg *msg)
{
    return th_forward(self, th_msg_sender(msg), msg);
}

static th_err killer_receive(th_self *self, void *state, const th_msg *msg)
{
    return th_exit_request_send(self, th_msg_sender(msg), (struct th_exit_request){ 0 });
}

static const th_class echo = { .name = "echo", .receive = echo_receive };
static const th_class kill_the_messenger = { .name = "killer", .receive = killer_receive };

static void expect_no_answer(th_self *me, th_addr to, th_msg *question)
{
    th_msg *answer = NULL;
    th_err err = th_ask(me, to, question, TALK_SILENCE, &answer);

    /* A handler that may not send what it tried to fails, and that is the answer. */
    if (err == TH_OK) {
        cr_assert_not_null(th_poison_of(answer));
        cr_assert_eq(th_poison_of(answer)->err, TH_E_NOT_ALLOWED);
        th_msg_destroy(me, answer);
        return;
    }
    cr_assert(err == TH_E_TIMEOUT || err == TH_E_NO_ACTOR, "%s", th_err_name(err));
    cr_assert_null(answer);
}

BOTH_BASES(system_messages, a_system_starts)
{
    cr_assert_neq(th_system_id(ts->sys), 0);
}

BOTH_BASES(system_messages, an_actor_starts)
{
    talk_create(ts->me, &echo);
}

BOTH_BASES(system_messages, a_plain_message_is_told)
{
    th_addr actor = talk_create(ts->me, &echo);

    must(th_tell(ts->me, actor, talk_word(ts->me, "hello")));
    talk_hear(ts->me, "hello");
}

BOTH_BASES(system_messages, a_faked_system_message_cannot_be_told)
{
    th_addr actor = talk_create(ts->me, &echo);
    uint64_t refused = talk_counts(ts->sys).refused;

    must_be(fake_send(ts->me, actor, (struct fake){ 0 }), TH_E_NOT_ALLOWED);
    cr_assert_gt(talk_counts(ts->sys).refused, refused);
    talk_expect(ts->me, actor, "hello", "hello");
}

BOTH_BASES(system_messages, an_exit_request_is_told)
{
    th_addr actor = talk_create(ts->me, &echo);

    must(th_exit_request_send(ts->me, actor, (struct th_exit_request){ 0 }));
    talk_expect_gone(ts->me, actor, "hello");
    talk_hear_nothing(ts->me);
}

BOTH_BASES(system_messages, a_messenger_does_not_get_killed)
{
    th_addr actor = talk_create(ts->me, &kill_the_messenger);
    th_msg *msg = NULL;

    must(th_tell(ts->me, actor, talk_word(ts->me, "hello")));
    must(th_stop(ts->me, actor));
    talk_expect_gone(ts->me, actor, "hello");
    /* at most the news that the murder was not allowed */
    if (th_listen(ts->me, TALK_SILENCE, &msg) == TH_OK) {
        cr_assert_not_null(th_poison_of(msg));
        th_msg_destroy(ts->me, msg);
    }
    talk_expect(ts->me, talk_create(ts->me, &echo), "alive", "alive");
}

BOTH_BASES(system_messages, a_plain_message_is_asked)
{
    talk_expect(ts->me, talk_create(ts->me, &echo), "hello", "hello");
}

BOTH_BASES(system_messages, a_faked_system_message_cannot_be_asked)
{
    th_addr actor = talk_create(ts->me, &echo);
    th_msg *answer = NULL;

    must_be(th_ask(ts->me, actor, th_msg_create(ts->me, &fake_type), TALK_PATIENCE, &answer),
            TH_E_NOT_ALLOWED);
    cr_assert_null(answer);
}

BOTH_BASES(system_messages, an_exit_request_never_comes_back_from_ask)
{
    th_addr actor = talk_create(ts->me, &echo);

    expect_no_answer(ts->me, actor, th_exit_request_new(ts->me, NULL));
    talk_expect_gone(ts->me, actor, "hello");
}

BOTH_BASES(system_messages, a_killer_never_kills_who_asks)
{
    th_addr actor = talk_create(ts->me, &kill_the_messenger);

    expect_no_answer(ts->me, actor, talk_word(ts->me, "hello"));
    expect_no_answer(ts->me, actor, th_exit_request_new(ts->me, NULL));
    talk_expect_gone(ts->me, actor, "hello");
    talk_expect(ts->me, talk_create(ts->me, &echo), "alive", "alive");
}
