/* Urgent types: before all others that wait, in the order in which they came. */
#include "tests/support/bounded.h"
#include "tests/support/talk.h"

static const th_type *const urgent_types[] = { &talk_number_type, NULL };

struct triage {
    int count;
    char seen[16];
};

static th_err triage_receive(th_self *self, void *state, const th_msg *msg)
{
    struct triage *triage = state;

    if (bounded_stops_here(msg))
        return TH_OK;
    if (talk_is(msg, "seen?"))
        return talk_say(self, th_msg_sender(msg), triage->seen);
    if (triage->count < 15 && (talk_number_of(msg) || talk_word_of(msg)))
        triage->seen[triage->count++] = talk_number_of(msg)
                                            ? (char)('0' + talk_number_of(msg)->value)
                                            : talk_word_of(msg)->text[0];
    return TH_OK;
}

static const th_class triage_class = { .name = "triage",
                                       .state_size = sizeof(struct triage),
                                       .receive = triage_receive,
                                       .urgent = urgent_types };

static void check_triage(struct test_system *ts, th_addr triage)
{
    const th_msg *msg;

    bounded_stop(ts, triage);
    must(talk_say(ts->me, triage, "a"));
    must(talk_count(ts->me, triage, 1));
    must(talk_say(ts->me, triage, "b"));
    must(talk_count(ts->me, triage, 2));
    must(talk_count(ts->me, triage, 3));
    if (test_is_simple(ts)) {
        must(th_mailbox_peek(ts->sys, triage, 1, &msg));
        cr_assert_eq(talk_number_of(msg)->value, 2);
        must(th_mailbox_peek(ts->sys, triage, 4, &msg));
        cr_assert(talk_is(msg, "b"));
    }
    bounded_go_on(ts);
    talk_expect(ts->me, triage, "seen?", "123ab");
}

BOTH_BASES(mailbox_urgent, urgent_types_are_handled_first)
{
    check_triage(ts, talk_create(ts->me, &triage_class));
    check_triage(ts, bounded_create(ts, &triage_class,
                                    (th_mailbox){ .limit = 100, .when_full = TH_WHEN_FULL_HOLD }));
}
