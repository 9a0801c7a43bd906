/* What an actor with a limited mailbox keeps for later: it takes no credit while it is kept, and
 * takes one again when it is put back. */
#include <sched.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

/* Stashes all it gets until it is told to go on; then it notes in which order things come, and how
 * full its mailbox is. */
struct keeper {
    bool is_open;
    th_addr opener;
    uint32_t returned, owed; /* put back, and not seen again yet */
    uint64_t used_max;
    uint32_t full;
    uint32_t count;
    char seen[32];
};

static th_err note(th_self *self, struct keeper *keeper, char what)
{
    th_mailbox_state box = { 0 };
    th_verdict verdict = TH_OFFER_CLOSED;
    th_msg *msg = talk_word(self, "no room");
    th_err err = th_mailbox_read(th_self_system(self), th_self_addr(self), &box);

    if (!err)
        err = th_offer(self, th_self_addr(self), msg, &verdict);
    if (verdict == TH_OFFER_WOULD_BLOCK) {
        keeper->full++;
        th_msg_destroy(self, msg);
    }
    if (box.used > keeper->used_max)
        keeper->used_max = box.used;
    if (keeper->count + 1 < sizeof(keeper->seen))
        keeper->seen[keeper->count++] = what;
    if (!err && keeper->owed && --keeper->owed == 0)
        err = talk_count(self, keeper->opener, keeper->returned);
    return err;
}

/* Who opens hears how many were put back when the last of them is done: so nothing else comes
 * between. */
static th_err open_up(th_self *self, struct keeper *keeper, const th_msg *msg)
{
    th_err err = th_unstash_all(self, &keeper->returned);

    keeper->is_open = true;
    keeper->owed = keeper->returned;
    keeper->opener = th_msg_sender(msg);
    return err;
}

static th_err keeper_receive(th_self *self, void *state, const th_msg *msg)
{
    struct keeper *keeper = state;

    if (talk_is(msg, "open"))
        return open_up(self, keeper, msg);
    if (talk_is(msg, "stashed?"))
        return talk_count(self, th_msg_sender(msg), th_stashed(self));
    if (talk_is(msg, "seen?"))
        return talk_say(self, th_msg_sender(msg), keeper->seen);
    if (talk_is(msg, "most?"))
        return talk_count(self, th_msg_sender(msg), (int64_t)keeper->used_max);
    if (talk_is(msg, "full?"))
        return talk_count(self, th_msg_sender(msg), keeper->full);
    if (talk_is(msg, "no room") || (!talk_word_of(msg) && !talk_number_of(msg)))
        return TH_OK;
    if (!keeper->is_open)
        return th_stash(self, msg);
    return note(self, keeper,
                talk_number_of(msg) ? (char)('0' + talk_number_of(msg)->value)
                                    : talk_word_of(msg)->text[0]);
}

static const th_type *const numbers[] = { &talk_number_type, NULL };

static const th_class keeper_class = { .name = "keeper",
                                       .state_size = sizeof(struct keeper),
                                       .receive = keeper_receive };
static const th_class sorter_class = { .name = "sorter",
                                       .state_size = sizeof(struct keeper),
                                       .receive = keeper_receive,
                                       .urgent = numbers };

static th_addr make(struct test_system *ts, const th_class *klass, uint32_t limit)
{
    th_spawn_options options = { .klass = klass, .mailbox = { .limit = limit } };
    th_addr addr;

    must(th_create(ts->me, &options, TALK_PATIENCE, &addr, NULL));
    return addr;
}

static uint64_t used(struct test_system *ts, th_addr actor)
{
    th_mailbox_state state;

    must(th_mailbox_read(ts->sys, actor, &state));
    return state.used;
}

/* All credits come back, the last ones when a turn ends. */
static void wait_until_unused(struct test_system *ts, th_addr actor)
{
    while (used(ts, actor))
        if (test_is_simple(ts))
            must(th_run_until_idle(ts->sys, 0, NULL));
        else
            sched_yield();
}

/* One at a time, so that there is room for each. */
static void have_kept(struct test_system *ts, th_addr keeper, const char *words)
{
    int64_t count = talk_ask_number(ts->me, keeper, "stashed?");

    for (; *words; words++) {
        if (*words >= '0' && *words <= '9')
            must(talk_count(ts->me, keeper, *words - '0'));
        else
            must(talk_say(ts->me, keeper, (char[]){ *words, 0 }));
        cr_assert_eq(talk_ask_number(ts->me, keeper, "stashed?"), ++count);
        wait_until_unused(ts, keeper);
    }
}

BOTH_BASES(mailbox_stash, what_is_put_back_takes_credits_again)
{
    th_addr keeper = make(ts, &keeper_class, 2);

    have_kept(ts, keeper, "abcdef");
    cr_assert_eq(talk_ask_number(ts->me, keeper, "open"), 6);
    wait_until_unused(ts, keeper);
    talk_expect(ts->me, keeper, "seen?", "abcdef");
    /* past the limit, and less than all only by the one that is being handled */
    cr_assert_eq(talk_ask_number(ts->me, keeper, "most?"), 5);
    cr_assert_eq(talk_ask_number(ts->me, keeper, "full?"), 4); /* with 5 to 2 of 2 waiting */
    wait_until_unused(ts, keeper);
}

BOTH_BASES(mailbox_stash, the_end_needs_no_credits)
{
    th_addr keeper = make(ts, &keeper_class, 2);
    uint64_t dead = talk_counts(ts->sys).dead;

    have_kept(ts, keeper, "abcdef");
    must(th_stop(ts->me, keeper));
    talk_expect_gone(ts->me, keeper, "there?");
    cr_assert_eq(talk_counts(ts->sys).dead, dead + 6 + 1);
}

BOTH_BASES(mailbox_stash, what_is_urgent_comes_back_before_the_rest)
{
    th_addr keeper = make(ts, &sorter_class, 100);

    have_kept(ts, keeper, "a1b2");
    cr_assert_eq(talk_ask_number(ts->me, keeper, "open"), 4);
    wait_until_unused(ts, keeper);
    talk_expect(ts->me, keeper, "seen?", "12ab");
    must(th_stop(ts->me, keeper));
    keeper = talk_create(ts->me, &sorter_class); /* without a limit */
    must(talk_say(ts->me, keeper, "a"));
    must(talk_count(ts->me, keeper, 1));
    cr_assert_eq(talk_ask_number(ts->me, keeper, "open"), 2);
    talk_expect(ts->me, keeper, "seen?", "1a");
}

/* ---- first messages ---- */

enum { KEPT = 5 };

static th_err ready(th_self *self, void *state, const th_msg *const *got)
{
    struct keeper *keeper = state;

    keeper->is_open = true;
    keeper->opener = th_msg_sender(got[0]);
    keeper->returned = keeper->owed = KEPT;
    return TH_OK;
}

static const th_type *const first_types[] = { &talk_whom_type, NULL };
static const th_initial first = { .types = first_types, .ready = ready };
static const th_class starter_class = { .name = "starter",
                                        .state_size = sizeof(struct keeper),
                                        .receive = keeper_receive,
                                        .initial = &first };

BOTH_BASES(mailbox_stash, what_waits_for_first_messages_takes_no_credit)
{
    th_addr starter = make(ts, &starter_class, 2);
    th_actor_status status;
    th_msg *told;

    for (int i = 0; i < KEPT; i++) {
        must(talk_say(ts->me, starter, (char[]){ (char)('a' + i), 0 }));
        wait_until_unused(ts, starter);
    }
    must(th_actor_status_read(ts->sys, starter, &status));
    cr_assert_eq(status.stashed, KEPT);
    cr_assert_eq(status.waiting, KEPT);
    must(talk_whom_send(ts->me, starter, (struct talk_whom){ starter }));
    must(th_listen(ts->me, TALK_PATIENCE, &told));
    th_msg_destroy(ts->me, told);
    wait_until_unused(ts, starter);
    talk_expect(ts->me, starter, "seen?", "abcde");
    cr_assert_eq(talk_ask_number(ts->me, starter, "most?"), KEPT - 1);
    wait_until_unused(ts, starter);
}
