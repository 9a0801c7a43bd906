/* What is the system's own cannot be stopped, forged or posed as; each attempt is counted. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

/* Tries to stop whom it is told to, and says what came of it. */
static th_err assassin_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_is(msg, "parent?"))
        return talk_whom_send(self, th_msg_sender(msg),
                              (struct talk_whom){ .addr = th_self_parent(self) });
    if (talk_whom_of(msg))
        return talk_count(self, th_msg_sender(msg), th_stop(self, talk_whom_of(msg)->addr));
    return TH_OK;
}

static const th_class assassin = { .name = "assassin", .receive = assassin_receive };

static th_err ask_to_stop(th_self *me, th_addr actor, th_addr victim)
{
    struct talk_whom *body;
    th_msg *question = talk_whom_new(me, &body), *answer = NULL;
    th_err err;

    cr_assert_not_null(question);
    body->addr = victim;
    must(th_ask(me, actor, question, TALK_PATIENCE, &answer));
    cr_assert_not_null(talk_number_of(answer));
    err = (th_err)talk_number_of(answer)->value;
    th_msg_destroy(me, answer);
    return err;
}

BOTH_BASES(privilege, the_admin_cannot_be_stopped)
{
    th_addr actor = talk_create(ts->me, &assassin);
    th_addr admin = talk_ask_addr(ts->me, actor, "parent?");
    uint64_t before = talk_counts(ts->sys).refused;

    must_be(th_stop(ts->me, admin), TH_E_NOT_ALLOWED);
    must_be(th_exit_request_send(ts->me, admin, (struct th_exit_request){ .keep_children = true }),
            TH_E_NOT_ALLOWED);
    cr_assert_eq(ask_to_stop(ts->me, actor, admin), TH_E_NOT_ALLOWED);
    cr_assert_eq(talk_counts(ts->sys).refused, before + 3);
    talk_expect(ts->me, talk_create(ts->me, &talk_echo), "alive", "alive");
}

BOTH_BASES(privilege, an_endpoint_cannot_be_stopped)
{
    th_addr actor = talk_create(ts->me, &assassin);
    uint64_t before = talk_counts(ts->sys).refused;
    th_self *other = NULL;

    must(th_endpoint_open(ts->sys, &other));
    must_be(th_stop(ts->me, th_self_addr(ts->me)), TH_E_NOT_ALLOWED);
    must_be(th_stop(ts->me, th_self_addr(other)), TH_E_NOT_ALLOWED);
    must_be(th_stop(other, th_self_addr(ts->me)), TH_E_NOT_ALLOWED);
    cr_assert_eq(ask_to_stop(ts->me, actor, th_self_addr(other)), TH_E_NOT_ALLOWED);
    cr_assert_eq(talk_counts(ts->sys).refused, before + 4);
    must(talk_say(ts->me, th_self_addr(other), "alive"));
    talk_hear(other, "alive");
    must(th_endpoint_close(other));
}

BOTH_BASES(privilege, the_systems_messages_cannot_be_made)
{
    static const th_type *const types[] = { &th_child_exited_type, &th_poison_type, &th_wakeup_type,
                                            &th_dead_letter_type };
    th_addr actor = talk_create(ts->me, &talk_counter);
    uint64_t before = talk_counts(ts->sys).refused;

    for (int i = 0; i < 4; i++) {
        th_msg *msg = th_msg_create(ts->me, types[i]);

        cr_assert_null(msg);
        must_be(th_send(ts->me, actor, msg), TH_E_NOT_ALLOWED);
    }
    cr_assert_eq(talk_counts(ts->sys).refused, before + 4);
    cr_assert_eq(talk_ask_number(ts->me, actor, "count?"), 0);
}

/* A wakeup is cancelled by its own actor only, and mail for the admin changes nothing. */
BOTH_BASES(privilege, the_admin_takes_no_orders)
{
    th_addr actor = talk_create(ts->me, &assassin);
    th_addr admin = talk_ask_addr(ts->me, actor, "parent?");
    th_err err = talk_say(ts->me, admin, "obey");
    th_msg *answer = NULL;

    cr_assert(err == TH_OK || err == TH_E_NOT_ALLOWED, "%s", th_err_name(err));
    err = th_ask(ts->me, admin, talk_word(ts->me, "obey?"), TALK_SILENCE, &answer);
    cr_assert_neq(err, TH_OK);
    talk_expect(ts->me, talk_create(ts->me, &talk_echo), "alive", "alive");
}
