/* What cannot be delivered is counted, and told to whoever wants to know. */
#include "puppet.h"

#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"
#include <thespis/config.h>

enum { LETTER = 1 };

static th_err note_letters(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    const struct th_dead_letter *letter = th_dead_letter_of(msg);

    (void)self;
    if (!letter)
        return TH_OK;
    puppet->seen++;
    if (work_of(letter->message))
        note(letter->reason, work_of(letter->message)->number, letter->target);
    return TH_OK;
}

static uint64_t listen(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    return th_dead_letters_to_me(self, order->number != 0);
}

static uint64_t leave(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return th_exit(self);
}

static th_addr dead_actor(struct test_system *ts)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 0 });

    tell(ts, actor, leave, 0);
    wait_gone(ts, actor);
    return actor;
}

static uint64_t handlers(struct test_system *ts)
{
    th_system_status status;

    cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    return status.dead_letter_handlers;
}

BOTH_BASES(dead_letter, brings_the_message_its_target_and_why, .init = journal_clear)
{
    th_addr handler = puppet_new(ts, (struct part){ .receive = note_letters });
    th_addr dead = dead_actor(ts), foreign = dead;

    foreign.system++;
    cr_assert_eq(tell(ts, handler, listen, 1), TH_OK);
    send_works(ts->me, dead, 3, 2);
    send_works(ts->me, foreign, 8, 1);
    journal_wait(ts, 3);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(journal[i].what, i < 2 ? TH_DEAD_NO_ACTOR : TH_DEAD_FOREIGN);
        cr_assert_eq(journal[i].number, i < 2 ? 3 + i : 8);
        cr_assert(th_addr_equal(journal[i].addr, i < 2 ? dead : foreign));
    }
    tell(ts, handler, order_nothing, 0);
    works_gone();
}

BOTH_BASES(dead_letter, goes_to_every_handler, .init = journal_clear)
{
    enum { HANDLERS = 5 };
    th_addr actors[HANDLERS], dead = dead_actor(ts);

    for (int i = 0; i < HANDLERS; i++) {
        actors[i] = puppet_new(ts, (struct part){ .receive = note_letters });
        cr_assert_eq(tell(ts, actors[i], listen, 1), TH_OK);
        cr_assert_eq(tell(ts, actors[i], listen, 1), TH_OK, "twice is once");
    }
    cr_assert_eq(handlers(ts), HANDLERS);
    send_works(ts->me, dead, 0, 10);
    journal_wait(ts, HANDLERS * 10);
    for (int i = 0; i < HANDLERS; i++)
        cr_assert_eq(tell(ts, actors[i], order_nothing, 0), 10);
    works_gone();
}

BOTH_BASES(dead_letter, comes_no_more_after_false_or_an_exit, .init = journal_clear)
{
    th_addr first = puppet_new(ts, (struct part){ .receive = note_letters });
    th_addr second = puppet_new(ts, (struct part){ .receive = note_letters });
    th_addr dead = dead_actor(ts);

    cr_assert_eq(tell(ts, first, listen, 1), TH_OK);
    cr_assert_eq(tell(ts, second, listen, 1), TH_OK);
    cr_assert_eq(tell(ts, first, listen, 0), TH_OK);
    send_works(ts->me, dead, 0, 4);
    journal_wait(ts, 4);
    cr_assert_eq(tell(ts, first, order_nothing, 0), 0);
    tell(ts, second, leave, 0);
    wait_gone(ts, second);
    while (handlers(ts)) /* until the admin has heard of it */
        sched_yield();
    send_works(ts->me, dead, 0, 4);
    cr_assert_eq(atomic_load(&journal_length), 4);
    cr_assert_eq(test_system_counts(ts).letters_dropped, 0, "nobody wanted them");
    works_gone();
}

BOTH_BASES(dead_letter, handlers_have_a_limit, .init = journal_clear)
{
    th_addr actors[TH_DEAD_LETTER_HANDLERS_MAX + 1];

    for (int i = 0; i <= TH_DEAD_LETTER_HANDLERS_MAX; i++) {
        actors[i] = puppet_new(ts, (struct part){ .receive = note_letters });
        cr_assert_eq(tell(ts, actors[i], listen, 1),
                     i < TH_DEAD_LETTER_HANDLERS_MAX ? TH_OK : TH_E_LIMIT);
    }
    cr_assert_eq(tell(ts, actors[0], listen, 0), TH_OK);
    while (handlers(ts) == TH_DEAD_LETTER_HANDLERS_MAX)
        if (test_is_simple(ts))
            cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    cr_assert_eq(tell(ts, actors[TH_DEAD_LETTER_HANDLERS_MAX], listen, 1), TH_OK);
}

BOTH_BASES(dead_letter, may_be_listened_to_from_outside, .init = journal_clear)
{
    th_addr dead = dead_actor(ts);
    th_msg *msg;

    cr_assert_eq(th_dead_letters_to_me(NULL, true), TH_E_INVALID);
    cr_assert_eq(th_dead_letters_to_me(ts->me, true), TH_OK);
    send_works(ts->me, dead, 12, 1);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_eq(work_of(th_dead_letter_of(msg)->message)->number, 12);
    cr_assert(th_addr_equal(th_msg_sender(th_dead_letter_of(msg)->message), th_self_addr(ts->me)));
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(th_dead_letters_to_me(ts->me, false), TH_OK);
    works_gone();
}

static th_err fail_letters(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)self;
    if (!th_dead_letter_of(msg))
        return TH_OK;
    note(LETTER, 0, th_addr_none());
    puppet->seen++;
    return TH_E_PARSE;
}

BOTH_BASES(dead_letter, that_fails_its_handler_makes_no_other, .init = journal_clear)
{
    th_addr handler = puppet_new(ts, (struct part){ .receive = fail_letters });
    th_addr dead = dead_actor(ts);
    th_counts counts;

    cr_assert_eq(tell(ts, handler, listen, 1), TH_OK);
    send_works(ts->me, dead, 0, 1);
    journal_wait(ts, TH_DELIVERIES_MAX);
    cr_assert_eq(tell(ts, handler, order_nothing, 0), TH_DELIVERIES_MAX);
    counts = test_system_counts(ts);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_POISON], 1);
    cr_assert_eq(counts.letters_dropped, 1);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), TH_DELIVERIES_MAX);
    works_gone();
}

Test(dead_letter, without_memory_is_counted, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr handler = puppet_new(&ts, (struct part){ .receive = note_letters });
    th_addr dead = dead_actor(&ts);
    th_counts counts;

    cr_assert_eq(tell(&ts, handler, listen, 1), TH_OK);
    for (uint64_t i = 0; i < 10; i++) {
        th_msg *msg = work_make(ts.me, i);

        cr_assert_eq(th_inject_nomem(ts.sys, 1, false), TH_OK);
        cr_assert_eq(th_send(ts.me, dead, msg), TH_OK);
        cr_assert_eq(th_inject_nomem(ts.sys, 0, false), TH_OK);
    }
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    counts = test_system_counts(&ts);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_NO_ACTOR], 10);
    cr_assert_eq(counts.letters_dropped + atomic_load(&journal_length), 10);
    cr_assert_gt(counts.letters_dropped, 0);
    test_system_close(&ts);
    works_gone();
}

/* As the status does that asks somebody who is about to exit. */
static uint64_t ask_status(th_self *self, struct puppet *puppet, const struct order *order)
{
    th_msg *question = thi_msg_create(self->voice.heap, &thi_ask_status_type, 0);

    (void)puppet;
    thi_post_to(self, th_self_addr(self), order->addr, question);
    return 0;
}

BOTH_BASES(dead_letter, is_not_made_of_the_runtimes_own_mail, .init = journal_clear)
{
    th_addr handler = puppet_new(ts, (struct part){ .receive = note_letters });
    th_addr dead = dead_actor(ts);

    cr_assert_eq(tell(ts, handler, listen, 1), TH_OK);
    tell_order(ts, handler, (struct order){ .run = ask_status, .addr = dead });
    send_works(ts->me, dead, 0, 1); /* whose letter comes behind any other */
    journal_wait(ts, 1);
    cr_assert_eq(tell(ts, handler, order_nothing, 0), 1);
    cr_assert_eq(test_system_counts(ts).dead, 1);
}
