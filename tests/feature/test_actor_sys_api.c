/* Tell, ask and listen, and who answers what. Here an ask has a reply address of its own, so it and
 * listen never take each other's messages. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

static th_err larry_receive(th_self *self, void *state, const th_msg *msg)
{
    if (!talk_word_of(msg) || talk_is(msg, "Silence!"))
        return TH_OK;
    return talk_say(self, th_msg_sender(msg), "Hey!");
}

static th_err curly_receive(th_self *self, void *state, const th_msg *msg)
{
    th_err err;

    if (!talk_word_of(msg))
        return TH_OK;
    err = talk_say(self, th_msg_sender(msg), "Wise guy, eh?");
    return err ? err : talk_say(self, th_msg_sender(msg), "Pow!");
}

static const th_class larry = { .name = "larry", .receive = larry_receive };
static const th_class mo = { .name = "mo" };
static const th_class curly = { .name = "curly", .receive = curly_receive };

BOTH_BASES(actor_sys_api, tell)
{
    th_addr actor = talk_create(ts->me, &talk_counter);

    must(th_tell(ts->me, actor, talk_word(ts->me, "hello")));
    must(th_tell(ts->me, actor, talk_word(ts->me, "goodbye")));
    talk_wait_for(ts->me, actor, 2);
    talk_hear_nothing(ts->me);
}

BOTH_BASES(actor_sys_api, ask)
{
    th_addr actor = talk_create(ts->me, &larry);

    talk_expect(ts->me, actor, "hello", "Hey!");
    talk_expect_silence(ts->me, actor, "Silence!");
}

BOTH_BASES(actor_sys_api, listen)
{
    th_addr actor = talk_create(ts->me, &curly);

    must(th_tell(ts->me, actor, talk_word(ts->me, "hello")));
    talk_hear(ts->me, "Wise guy, eh?");
    talk_hear(ts->me, "Pow!");
    talk_hear_nothing(ts->me);
}

BOTH_BASES(actor_sys_api, ask_is_tell_plus_listen)
{
    th_addr actor = talk_create(ts->me, &larry);

    talk_expect(ts->me, actor, "hello", "Hey!");
    talk_hear_nothing(ts->me);
    must(th_tell(ts->me, actor, talk_word(ts->me, "hello")));
    talk_hear(ts->me, "Hey!");
    talk_hear_nothing(ts->me);
}

BOTH_BASES(actor_sys_api, responses_from_anywhere)
{
    th_addr to_larry = talk_create(ts->me, &larry);
    th_addr to_mo = talk_create(ts->me, &mo);
    th_addr to_curly = talk_create(ts->me, &curly);
    bool heard_guy = false, heard_pow = false, heard_hey = false;

    must(th_tell(ts->me, to_curly, talk_word(ts->me, "hello")));
    must(th_tell(ts->me, to_mo, talk_word(ts->me, "hello")));
    must(th_tell(ts->me, to_larry, talk_word(ts->me, "hello")));
    for (int i = 0; i < 3; i++) {
        th_msg *msg = NULL;

        must(th_listen(ts->me, TALK_PATIENCE, &msg));
        heard_guy |= talk_is(msg, "Wise guy, eh?");
        if (talk_is(msg, "Pow!")) {
            cr_assert(heard_guy, "Curly's words arrive in his order");
            heard_pow = true;
        }
        heard_hey |= talk_is(msg, "Hey!");
        th_msg_destroy(ts->me, msg);
    }
    cr_assert(heard_guy && heard_pow && heard_hey);
    talk_hear_nothing(ts->me);
}

/* The left-over answer of one question is not the answer of the next. */
BOTH_BASES(actor_sys_api, a_second_answer_is_a_late_letter)
{
    th_addr to_curly = talk_create(ts->me, &curly);
    th_addr to_larry = talk_create(ts->me, &larry);

    talk_expect(ts->me, to_curly, "hello", "Wise guy, eh?");
    talk_expect(ts->me, to_larry, "hello", "Hey!");
    talk_expect(ts->me, to_curly, "hello", "Wise guy, eh?");
    talk_hear_nothing(ts->me);
    /* Curly's second word of the second time may still be on its way */
    cr_assert_geq(talk_counts(ts->sys).dead_by_reason[TH_DEAD_LATE], 1);
}
