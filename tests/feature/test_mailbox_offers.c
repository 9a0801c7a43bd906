/* What a sender may do about a full mailbox: offer, and be told when there is room. */
#include "tests/support/bounded.h"
#include "tests/support/talk.h"

static th_err sink_receive(th_self *self, void *state, const th_msg *msg)
{
    int64_t *seen = state;

    if (bounded_stops_here(msg))
        return TH_OK;
    if (talk_is(msg, "seen?"))
        return talk_count(self, th_msg_sender(msg), *seen);
    *seen += talk_number_of(msg) != NULL;
    return TH_OK;
}

static const th_class sink_class = { .name = "sink",
                                     .state_size = sizeof(int64_t),
                                     .receive = sink_receive };

static th_addr make(struct test_system *ts, uint32_t limit, uint32_t low, th_when_full when_full)
{
    return bounded_create(ts, &sink_class, (th_mailbox){ limit, low, when_full });
}

static th_err offer(struct test_system *ts, th_addr to, th_verdict *verdict)
{
    th_msg *msg = talk_word(ts->me, "offered");
    th_err err = th_offer(ts->me, to, msg, verdict);

    if (!err && (*verdict == TH_OFFER_WOULD_BLOCK || *verdict == TH_OFFER_CLOSED))
        th_msg_destroy(ts->me, msg);
    return err;
}

BOTH_BASES(mailbox_offers, an_offer_says_how_it_stands)
{
    static const th_when_full policies[] = { TH_WHEN_FULL_FAIL, TH_WHEN_FULL_DROP,
                                             TH_WHEN_FULL_HOLD };
    th_verdict verdict;

    for (int i = 0; i < 3; i++) {
        th_addr sink = make(ts, 4, 2, policies[i]);

        bounded_stop(ts, sink);
        must(offer(ts, sink, &verdict));
        cr_assert_eq(verdict, TH_OFFER_QUEUED);
        must(offer(ts, sink, &verdict));
        cr_assert_eq(verdict, TH_OFFER_QUEUED);
        for (int k = 0; k < 2; k++) {
            must(offer(ts, sink, &verdict));
            cr_assert_eq(verdict, TH_OFFER_HIGH);
        }
        must(offer(ts, sink, &verdict));
        cr_assert_eq(verdict, TH_OFFER_WOULD_BLOCK);
        cr_assert_eq(bounded_look(ts, sink).used, 4);
        bounded_go_on(ts);
        must(th_stop(ts->me, sink));
        bounded_wait_until_gone(ts, sink);
        must(offer(ts, sink, &verdict));
        cr_assert_eq(verdict, TH_OFFER_CLOSED);
    }
    cr_assert_eq(talk_counts(ts->sys).full, 3);
    must(offer(ts, talk_create(ts->me, &talk_counter), &verdict));
    cr_assert_eq(verdict, TH_OFFER_QUEUED);
}

/* The next message is th_writable, from @target. */
static bool hear_writable(struct test_system *ts, th_addr target)
{
    th_msg *msg;
    bool gone;

    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(th_writable_of(msg));
    cr_assert(th_addr_equal(th_writable_of(msg)->target, target));
    gone = th_writable_of(msg)->gone;
    th_msg_destroy(ts->me, msg);
    return gone;
}

BOTH_BASES(mailbox_offers, who_asks_hears_once_that_there_is_room)
{
    th_addr sink = make(ts, 4, 2, TH_WHEN_FULL_FAIL);
    th_addr other = talk_create(ts->me, &talk_counter);

    bounded_stop(ts, sink);
    for (int i = 1; i <= 4; i++)
        must(talk_count(ts->me, sink, -i));
    must(th_when_writable(ts->me, sink));
    must(th_when_writable(ts->me, sink));
    cr_assert_eq(bounded_look(ts, sink).waiters, 1);
    bounded_go_on(ts);
    cr_assert_not(hear_writable(ts, sink));
    while (bounded_look(ts, sink).used)
        bounded_let_run(ts);
    cr_assert_eq(talk_ask_number(ts->me, sink, "seen?"), 4);
    talk_hear_nothing(ts->me);
    must(th_when_writable(ts->me, sink)); /* there is room */
    cr_assert_not(hear_writable(ts, sink));
    must(th_when_writable(ts->me, other)); /* there always is */
    cr_assert_not(hear_writable(ts, other));
}

BOTH_BASES(mailbox_offers, who_waits_for_the_dead_is_told)
{
    th_addr sink = make(ts, 2, 0, TH_WHEN_FULL_FAIL);
    th_addr other = talk_create(ts->me, &talk_counter);

    bounded_stop(ts, sink);
    must(th_stop(ts->me, sink));
    must(talk_count(ts->me, sink, -1));
    must(talk_count(ts->me, sink, -2));
    must(th_when_writable(ts->me, sink));
    bounded_go_on(ts);
    cr_assert(hear_writable(ts, sink));
    bounded_wait_until_gone(ts, sink);
    must(th_when_writable(ts->me, sink));
    cr_assert(hear_writable(ts, sink));
    must(th_stop(ts->me, other));
    talk_expect_gone(ts->me, other, "there?");
    must(th_when_writable(ts->me, other));
    cr_assert(hear_writable(ts, other));
}
