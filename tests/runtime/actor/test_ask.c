/* A question between actors is over exactly once: by its first answer, or by the news that none
 * will come. */
#include "puppet.h"

#include <thespis/config.h>

enum { ANSWERED = 1, OVER };

static th_err take_answer(th_self *self, void *state, const th_msg *msg, th_err err, uint64_t token)
{
    struct puppet *puppet = state;

    (void)self;
    puppet->seen++;
    if (msg)
        note(ANSWERED, token, th_msg_sender(msg));
    else
        note(OVER, token << 8 | err, th_addr_none());
    return TH_OK;
}

/* Asks @order->addr with the number as token. */
static uint64_t ask_for_ever(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    return th_ask_then(self, order->addr, work_make(self, order->number), TH_FOREVER, take_answer,
                       order->number);
}

static uint64_t ask_patiently(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    return th_ask_then(self, order->addr, work_make(self, order->number), TEST_PATIENCE,
                       take_answer, order->number);
}

static uint64_t ask_briefly(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    return th_ask_then(self, order->addr, work_make(self, order->number), TH_MS(5), take_answer,
                       order->number);
}

static void ask(struct test_system *ts, th_addr asker, order_run how, th_addr to, uint64_t token)
{
    cr_assert_eq(tell_order(ts, asker, (struct order){ .run = how, .addr = to, .number = token }),
                 TH_OK);
}

/* ---- those who are asked ---- */

static th_err answer_times(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    for (uint64_t i = 0; work_of(msg) && i < puppet->part.number; i++)
        cr_assert_eq(answer_send(self, th_msg_sender(msg), (struct answer){ i }), TH_OK);
    return TH_OK;
}

static th_err pass_on(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    return work_of(msg) ? th_forward(self, puppet->peer, msg) : TH_OK;
}

static uint64_t set_peer(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)self;
    puppet->peer = order->addr;
    return 0;
}

/* Keeps the question's sender, and answers when it is told to. */
static th_err keep_sender(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)self;
    if (work_of(msg)) {
        puppet->peer = th_msg_sender(msg);
        puppet->seen++;
    }
    return TH_OK;
}

static uint64_t answer_now(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)order;
    return answer_send(self, puppet->peer, (struct answer){ 0 });
}

static uint64_t leave(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return th_exit(self);
}

/* ---- the ends of a question ---- */

BOTH_BASES(ask, is_answered, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(ts, (struct part){ .number = 1, .receive = answer_times });

    for (unsigned i = 0; i < 20; i++)
        ask(ts, asker, i % 2 ? ask_for_ever : ask_patiently, asked, i);
    journal_wait(ts, 20);
    for (unsigned i = 0; i < 20; i++) {
        cr_assert_eq(journal[i].what, ANSWERED);
        cr_assert_eq(journal[i].number, i);
        cr_assert(th_addr_equal(journal[i].addr, asked));
    }
    cr_assert_eq(tell(ts, asker, order_nothing, 0), 20);
    works_gone();
}

BOTH_BASES(ask, takes_the_first_answer_and_the_second_is_late, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(ts, (struct part){ .number = 3, .receive = answer_times });

    for (unsigned i = 0; i < 30; i++)
        ask(ts, asker, ask_for_ever, asked, i);
    journal_wait(ts, 30);
    cr_assert_eq(tell(ts, asked, order_nothing, 0), 0);
    cr_assert_eq(tell(ts, asker, order_nothing, 0), 30);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 30, "once each");
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_LATE], 60);
}

BOTH_BASES(ask, that_nobody_answers_times_out_and_the_answer_is_late, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(ts, (struct part){ .receive = keep_sender });

    ask(ts, asker, ask_briefly, asked, 6);
    if (test_is_simple(ts))
        cr_assert_eq(th_advance(ts->sys, TH_MS(5)), TH_OK);
    journal_wait(ts, 1);
    cr_assert_eq(journal[0].what, OVER);
    cr_assert_eq(journal[0].number, 6 << 8 | TH_E_TIMEOUT);
    cr_assert_eq(tell(ts, asked, answer_now, 0), TH_OK);
    cr_assert_eq(tell(ts, asker, order_nothing, 0), 1);
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_LATE], 1);
    works_gone();
}

Test(ask, times_out_at_its_limit_and_not_before, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr asker = puppet_new(&ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(&ts, (struct part){ .receive = keep_sender });

    ask(&ts, asker, ask_briefly, asked, 6);
    cr_assert_eq(th_advance(ts.sys, TH_MS(5) - 1), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 0);
    cr_assert_eq(th_advance(ts.sys, 1), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 1);
    cr_assert_eq(th_advance(ts.sys, TH_S(1)), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 1);
    test_system_close(&ts);
}

BOTH_BASES(ask, of_the_dead_is_over_at_once, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(ts, (struct part){ .number = 0 });

    tell(ts, asked, leave, 0);
    wait_gone(ts, asked);
    ask(ts, asker, ask_for_ever, asked, 3);
    journal_wait(ts, 1);
    cr_assert_eq(journal[0].number, 3 << 8 | TH_E_NO_ACTOR);
    works_gone();
}

static th_err exit_unheard(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)puppet;
    if (work_of(msg) && work_of(msg)->number == 0) {
        send_works(self, th_self_addr(self), 1, 1); /* so that what comes now waits behind it */
        return th_exit(self);
    }
    return TH_OK;
}

Test(ask, that_was_waiting_at_an_exit_is_over, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr asker = puppet_new(&ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(&ts, (struct part){ .receive = exit_unheard });

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    send_works(ts.me, asked, 0, 1);
    ask(&ts, asker, ask_for_ever, asked, 3);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 1);
    cr_assert_eq(journal[0].number, 3 << 8 | TH_E_NO_ACTOR);
    test_system_close(&ts);
    works_gone();
}

BOTH_BASES(ask, that_is_forwarded_is_answered_by_the_last, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr last = puppet_new(ts, (struct part){ .number = 1, .receive = answer_times });
    th_addr middle = puppet_new(ts, (struct part){ .receive = pass_on });
    th_addr first = puppet_new(ts, (struct part){ .receive = pass_on });

    tell_order(ts, middle, (struct order){ .run = set_peer, .addr = last });
    tell_order(ts, first, (struct order){ .run = set_peer, .addr = middle });
    ask(ts, asker, ask_for_ever, first, 9);
    journal_wait(ts, 1);
    cr_assert_eq(journal[0].what, ANSWERED);
    cr_assert(th_addr_equal(journal[0].addr, last));
}

BOTH_BASES(ask, of_an_asker_that_exits_is_answered_to_nobody, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(ts, (struct part){ .receive = keep_sender });

    for (unsigned i = 0; i < 3; i++)
        ask(ts, asker, i % 2 ? ask_briefly : ask_for_ever, asked, i);
    cr_assert_eq(tell(ts, asked, order_nothing, 0), 3);
    tell(ts, asker, leave, 0);
    wait_gone(ts, asker);
    cr_assert_eq(tell(ts, asked, answer_now, 0), TH_OK);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_LATE], 1);
}

static th_err swallow(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)self, (void)puppet, (void)msg;
    return TH_OK;
}

static uint64_t ask_many(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    for (uint64_t i = 0; i < order->number; i++)
        cr_assert_eq(th_ask_then(self, order->addr, work_make(self, i),
                                 i % 2 ? TH_FOREVER : TH_S(3600), take_answer, i),
                     TH_OK);
    return 0;
}

BOTH_BASES(ask, may_be_open_a_thousand_times, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr silent = puppet_new(ts, (struct part){ .receive = swallow });
    th_addr asked = puppet_new(ts, (struct part){ .number = 1, .receive = answer_times });

    tell_order(ts, asker, (struct order){ .run = ask_many, .addr = silent, .number = 1000 });
    tell_order(ts, asker, (struct order){ .run = ask_many, .addr = asked, .number = 1000 });
    journal_wait(ts, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(journal[i].what, ANSWERED);
        cr_assert_eq(journal[i].number, i);
    }
    tell(ts, asker, leave, 0); /* with the other thousand open */
    wait_gone(ts, asker);
    cr_assert_eq(atomic_load(&journal_length), 1000);
}

/* ---- a continuation that fails ---- */

static th_err fail_answer(th_self *self, void *state, const th_msg *msg, th_err err, uint64_t token)
{
    struct puppet *puppet = state;

    (void)msg, (void)err;
    puppet->seen++;
    note(ANSWERED, token, th_addr_none());
    return th_fail(self, TH_E_PARSE, "not that");
}

static uint64_t ask_to_fail(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    return th_ask_then(self, order->addr, work_make(self, 0), TH_FOREVER, fail_answer, 1);
}

static th_err answer_and_note_poison(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    const struct th_poison *poison = th_poison_of(msg);

    if (poison) {
        cr_assert_str_eq(poison->details->data, "not that");
        note(OVER, poison->err, th_msg_sender(msg));
    }
    return answer_times(self, puppet, msg);
}

BOTH_BASES(ask, whose_continuation_fails_poisons_the_answerer, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(ts, (struct part){ .number = 1, .receive = answer_and_note_poison });

    ask(ts, asker, ask_to_fail, asked, 0);
    journal_wait(ts, TH_DELIVERIES_MAX + 1);
    for (unsigned i = 0; i < TH_DELIVERIES_MAX; i++)
        cr_assert_eq(journal[i].what, ANSWERED);
    cr_assert_eq(journal[TH_DELIVERIES_MAX].what, OVER);
    cr_assert_eq(journal[TH_DELIVERIES_MAX].number, TH_E_PARSE);
    cr_assert(th_addr_equal(journal[TH_DELIVERIES_MAX].addr, asker));
    cr_assert_eq(tell(ts, asker, order_nothing, 0), TH_DELIVERIES_MAX);
}

/* ---- refused ---- */

static uint64_t ask_wrongly(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    cr_assert_eq(th_ask_then(self, order->addr, NULL, 0, take_answer, 0), TH_E_INVALID);
    cr_assert_eq(th_ask_then(self, order->addr, work_make(self, 0), 0, NULL, 0), TH_E_INVALID);
    cr_assert_eq(th_ask_then(self, th_addr_none(), work_make(self, 0), 0, take_answer, 0),
                 TH_E_INVALID);
    cr_assert_eq(th_ask_then(self, order->addr, th_msg_create(self, &th_exit_request_type), 0,
                             take_answer, 0),
                 TH_E_INVALID);
    return 0;
}

BOTH_BASES(ask, that_makes_no_sense_is_refused, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });

    tell_order(ts, asker, (struct order){ .run = ask_wrongly, .addr = asker });
    cr_assert_eq(th_ask_then(ts->me, asker, work_make(ts->me, 0), 0, take_answer, 0),
                 TH_E_NOT_HERE);
    cr_assert_eq(th_ask_then(NULL, asker, NULL, 0, take_answer, 0), TH_E_INVALID);
    works_gone();
}

/* Whichever allocation fails, the question is refused and leaves nothing, or is over as usual. */
static uint64_t ask_without_memory(th_self *self, struct puppet *puppet, const struct order *order)
{
    uint64_t asked = 0;

    (void)puppet;
    for (uint64_t nth = 1; nth < 60; nth++) {
        th_msg *question = work_make(self, nth);
        th_err err;

        cr_assert_eq(th_inject_nomem(th_self_system(self), 1 + nth % 5, false), TH_OK);
        err = th_ask_then(self, order->addr, question, TH_S(1), take_answer, nth);
        cr_assert_eq(th_inject_nomem(th_self_system(self), 0, false), TH_OK);
        cr_assert(err == TH_OK || err == TH_E_NOMEM);
        asked += err == TH_OK;
    }
    return asked;
}

BOTH_BASES(ask, without_memory_is_refused_and_leaves_nothing, .init = journal_clear)
{
    th_addr asker = puppet_new(ts, (struct part){ .number = 0 });
    th_addr asked = puppet_new(ts, (struct part){ .number = 1, .receive = answer_times });
    uint64_t count =
        tell_order(ts, asker, (struct order){ .run = ask_without_memory, .addr = asked });

    cr_assert_lt(count, 59);
    journal_wait(ts, (unsigned)count);
    cr_assert_eq(tell(ts, asker, order_nothing, 0), count);
    works_gone();
}
