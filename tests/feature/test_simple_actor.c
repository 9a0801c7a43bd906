/* The first things anybody does: create, tell, ask; and an actor that talks to itself. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

static th_err clooney_receive(th_self *self, void *state, const th_msg *msg)
{
    if (!talk_word_of(msg) || talk_is(msg, "Silence!"))
        return TH_OK;
    return talk_say(self, th_msg_sender(msg), "Greetings.");
}

static const th_class clooney = { .name = "clooney", .receive = clooney_receive };

/* To himself: whom to answer, and what was said. */
#define ASIDE_FIELDS(F, S) F(S, addr, asker) F(S, chars, text, 32)
TH_MESSAGE(aside, ASIDE_FIELDS);
TH_MESSAGE_TYPE(aside, ASIDE_FIELDS)

static th_err hamlet_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct aside *aside = aside_of(msg);

    if (talk_is(msg, "Alas, poor Yorick!"))
        return aside_send(
            self, th_self_addr(self),
            (struct aside){ .asker = th_msg_sender(msg), .text = "To be or not to be?" });
    if (aside && strcmp(aside->text, "To be or not to be?") == 0) {
        if (!th_addr_equal(th_msg_sender(msg), th_self_addr(self)))
            return th_fail(self, TH_E_FAILED, "an aside of somebody else");
        return talk_say(self, aside->asker, "That is the question.");
    }
    return TH_OK;
}

static const th_class hamlet = { .name = "hamlet", .receive = hamlet_receive };

BOTH_BASES(simple_actor, a_system_starts_and_stops)
{
    th_system_status status;

    must(th_system_status_read(ts->sys, &status));
    cr_assert(!status.shutting_down);
    cr_assert_neq(status.id, 0);
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
}

BOTH_BASES(simple_actor, an_actor_is_created)
{
    th_addr actor = talk_create(ts->me, &clooney);
    th_actor_status status;

    must(th_actor_status_read(ts->sys, actor, &status));
    cr_assert_str_eq(status.class_name, "clooney");
    cr_assert_str_eq(status.state, "running");
}

BOTH_BASES(simple_actor, a_told_actor_handles_it)
{
    th_addr actor = talk_create(ts->me, &talk_counter);

    must(th_tell(ts->me, actor, talk_word(ts->me, "hello")));
    talk_wait_for(ts->me, actor, 1);
}

/* What was told and not handled before the shutdown is neither lost silently nor handled twice. */
BOTH_BASES(simple_actor, a_shutdown_right_after_a_tell_loses_nothing)
{
    th_addr actor = talk_create(ts->me, &clooney);
    struct th_counts counts;
    th_system_status status;

    must(th_tell(ts->me, actor, talk_word(ts->me, "hello")));
    must(th_system_shutdown(ts->sys, TALK_PATIENCE, NULL, NULL));
    (void)!th_system_status_read(ts->sys, &status);
    counts = status.counts;
    cr_assert_eq(counts.accepted, counts.handled + counts.dead);
}

BOTH_BASES(simple_actor, an_asked_actor_answers)
{
    talk_expect(ts->me, talk_create(ts->me, &clooney), "hello", "Greetings.");
}

BOTH_BASES(simple_actor, an_ask_without_an_answer_times_out)
{
    th_addr actor = talk_create(ts->me, &clooney);

    talk_expect_silence(ts->me, actor, "Silence!");
    talk_expect(ts->me, actor, "hello", "Greetings.");
}

BOTH_BASES(simple_actor, an_actor_sends_itself_a_struct)
{
    talk_expect(ts->me, talk_create(ts->me, &hamlet), "Alas, poor Yorick!",
                "That is the question.");
}
