/* A failed message goes back with why, and nothing goes round for ever. */
#include "puppet.h"

#include "runtime/actor/poison.h"
#include "mailbox/msg.h"
#include <thespis/config.h>

enum { POISON = 1, LETTER };

static th_err fail_all(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)self;
    puppet->seen++;
    return th_exit_request_of(msg) ? TH_OK : TH_E_PARSE;
}

static th_err fail_and_note(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (th_poison_of(msg))
        note(POISON, work_of(th_poison_of(msg)->message)->number, th_msg_sender(msg));
    return fail_all(self, puppet, msg);
}

static th_err note_poison(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    const struct th_poison *poison = th_poison_of(msg);

    (void)self, (void)puppet;
    if (!poison)
        return TH_OK;
    cr_assert_eq(poison->err, TH_E_PARSE);
    cr_assert_str_eq(poison->details->data, th_strerror(TH_E_PARSE), "without words of its own");
    note(POISON, work_of(poison->message)->number, th_msg_sender(msg));
    return TH_OK;
}

static uint64_t send_one(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    send_works(self, order->addr, order->number, 1);
    return 0;
}

BOTH_BASES(poison, goes_to_the_sender, .init = journal_clear)
{
    th_addr sender = puppet_new(ts, (struct part){ .receive = note_poison });
    th_addr failing = puppet_new(ts, (struct part){ .receive = fail_all });

    tell_order(ts, sender, (struct order){ .run = send_one, .addr = failing, .number = 44 });
    journal_wait(ts, 1);
    cr_assert_eq(journal[0].number, 44);
    cr_assert(th_addr_equal(journal[0].addr, failing));
    tell(ts, sender, order_nothing, 0);
    works_gone();
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

BOTH_BASES(poison, of_a_forwarded_message_goes_to_the_first_sender, .init = journal_clear)
{
    th_addr sender = puppet_new(ts, (struct part){ .receive = note_poison });
    th_addr middle = puppet_new(ts, (struct part){ .receive = pass_on });
    th_addr failing = puppet_new(ts, (struct part){ .receive = fail_all });

    tell_order(ts, middle, (struct order){ .run = set_peer, .addr = failing });
    tell_order(ts, sender, (struct order){ .run = send_one, .addr = middle, .number = 45 });
    journal_wait(ts, 1);
    cr_assert_eq(journal[0].number, 45);
    cr_assert(th_addr_equal(journal[0].addr, failing));
}

BOTH_BASES(poison, that_fails_is_a_dead_letter, .init = journal_clear)
{
    th_addr sender = puppet_new(ts, (struct part){ .receive = fail_and_note });
    th_addr failing = puppet_new(ts, (struct part){ .receive = fail_all });
    th_counts counts;

    tell_order(ts, sender, (struct order){ .run = send_one, .addr = failing, .number = 44 });
    journal_wait(ts, TH_DELIVERIES_MAX);
    tell(ts, sender, order_nothing, 0);
    counts = test_system_counts(ts);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_POISON], 1);
    cr_assert_eq(counts.dead, 1);
    cr_assert_eq(counts.poisoned, 1);
    cr_assert_eq(tell(ts, failing, order_nothing, 0), TH_DELIVERIES_MAX, "it hears no more of it");
    works_gone();
}

BOTH_BASES(poison, for_a_dead_sender_is_a_dead_letter, .init = journal_clear)
{
    th_addr failing = puppet_new(ts, (struct part){ .receive = fail_all });
    th_self *other;

    cr_assert_eq(th_endpoint_open(ts->sys, &other), TH_OK);
    tell(ts, failing, order_nothing, 0);
    send_works(other, failing, 1, 1);
    cr_assert_eq(th_endpoint_close(other), TH_OK); /* before the poison comes, or after */
    tell(ts, failing, order_nothing, 0);
    cr_assert_eq(test_system_counts(ts).dead, 1);
    works_gone();
}

/* A message that nobody sent, as the runtime's own are. */
static uint64_t poison_nobodys(th_self *self, struct puppet *puppet, const struct order *order)
{
    th_msg *msg = work_make(self, 1);

    (void)puppet, (void)order;
    msg->thi_from = th_addr_none();
    thi_poison_back(self, msg, TH_E_PARSE, "words");
    return 0;
}

BOTH_BASES(poison, for_nobody_is_a_dead_letter, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 0 });

    tell(ts, actor, poison_nobodys, 0);
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_FAILED], 1);
    cr_assert_eq(test_system_counts(ts).poisoned, 0);
    works_gone();
}

static uint64_t poison_poorly(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    for (uint64_t nth = 1; nth <= order->number; nth++) {
        th_msg *msg = work_make(self, nth);

        msg->thi_from = th_self_addr(self);
        cr_assert_eq(th_inject_nomem(th_self_system(self), 1 + nth % 2, false), TH_OK);
        thi_poison_back(self, msg, TH_E_PARSE, NULL);
        cr_assert_eq(th_inject_nomem(th_self_system(self), 0, false), TH_OK);
    }
    return 0;
}

BOTH_BASES(poison, without_memory_is_a_dead_letter, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = note_poison });
    th_counts counts;

    tell(ts, actor, poison_poorly, 20);
    tell(ts, actor, order_nothing, 0);
    counts = test_system_counts(ts);
    cr_assert_gt(counts.dead_by_reason[TH_DEAD_NOMEM], 0);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_NOMEM] + counts.poisoned, 20);
    cr_assert_eq(atomic_load(&journal_length), counts.poisoned);
    works_gone();
}
