/* What is sent arrives, in order; what cannot be sent is said so, and freed. */
#include "puppet.h"

#include <thespis/config.h>

enum { WORK = 1 };

static th_err note_work(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)puppet, (void)self;
    if (work_of(msg))
        note(WORK, work_of(msg)->number, th_msg_sender(msg));
    return TH_OK;
}

/* ---- order ---- */

enum { SENDERS = 4, EACH = 5000, PORTION = 50 };

/* Sends its next portion, and has itself called again. */
static th_err send_on(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)msg;
    send_works(self, puppet->peer, puppet->seen, PORTION);
    puppet->seen += PORTION;
    if (puppet->seen < EACH)
        return answer_send(self, th_self_addr(self), (struct answer){ 0 });
    return TH_OK;
}

static uint64_t meet(th_self *self, struct puppet *puppet, const struct order *order)
{
    puppet->peer = order->addr;
    return (uint64_t)answer_send(self, th_self_addr(self), (struct answer){ 0 });
}

BOTH_BASES(send, from_one_to_one_keeps_the_order, .init = journal_clear, .timeout = 60)
{
    th_addr receiver = puppet_new(ts, (struct part){ .receive = note_work });
    uint64_t next[SENDERS] = { 0 };
    th_addr senders[SENDERS];

    for (int i = 0; i < SENDERS; i++) {
        senders[i] = puppet_new(ts, (struct part){ .receive = send_on });
        tell_order(ts, senders[i], (struct order){ .run = meet, .addr = receiver });
    }
    journal_wait(ts, SENDERS * EACH);
    for (unsigned at = 0; at < SENDERS * EACH; at++) {
        int i = 0;

        while (!th_addr_equal(senders[i], journal[at].addr))
            cr_assert_lt(++i, SENDERS);
        cr_assert_eq(journal[at].number, next[i]++);
    }
    cr_assert_eq(atomic_load(&journal_length), SENDERS * EACH);
    tell(ts, receiver, order_nothing, 0);
    works_gone();
}

/* ---- to nobody ---- */

BOTH_BASES(send, to_another_system_is_a_dead_letter, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = note_work });

    actor.system++;
    send_works(ts->me, actor, 0, 3);
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_FOREIGN], 3);
    works_gone();
}

BOTH_BASES(send, to_an_address_that_never_was_is_a_dead_letter, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = note_work });

    actor.generation += 5;
    send_works(ts->me, actor, 0, 2);
    actor.slot = UINT32_MAX;
    send_works(ts->me, actor, 0, 2);
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_NO_ACTOR], 4);
    works_gone();
}

BOTH_BASES(send, to_none_is_refused_and_freed, .init = journal_clear)
{
    cr_assert_eq(th_send(ts->me, th_addr_none(), work_make(ts->me, 1)), TH_E_INVALID);
    cr_assert_eq(th_tell(ts->me, th_addr_none(), work_make(ts->me, 1)), TH_E_INVALID);
    works_gone();
    cr_assert_eq(test_system_counts(ts).dead, 0);
}

BOTH_BASES(send, of_nothing_says_why_there_is_nothing, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = note_work });
    uint64_t refused = test_system_counts(ts).refused;

    cr_assert_eq(th_send(ts->me, actor, th_msg_create(ts->me, NULL)), TH_E_INVALID);
    cr_assert_eq(th_send(ts->me, actor, th_msg_create(ts->me, &th_child_exited_type)),
                 TH_E_NOT_ALLOWED);
    cr_assert_eq(test_system_counts(ts).refused, refused + 1);
    cr_assert_eq(
        th_send(ts->me, actor, th_msg_create_sized(ts->me, &work_type, TH_MESSAGE_SIZE_MAX)),
        TH_E_INVALID, "a type without a rest");
    cr_assert_eq(th_inject_nomem(ts->sys, 1, true), TH_OK);
    for (int i = 0; i < 2000; i++) { /* until the heap has none left */
        th_err err = th_send(ts->me, actor, th_msg_create(ts->me, &answer_type));

        cr_assert(err == TH_OK || err == TH_E_NOMEM);
    }
    cr_assert_eq(th_send(NULL, actor, NULL), TH_E_INVALID);
    cr_assert_eq(th_inject_nomem(ts->sys, 0, false), TH_OK);
}

/* ---- privileges ---- */

static th_addr admin_of(struct test_system *ts)
{
    th_addr admin = th_self_addr(ts->me);

    admin.slot = 0;
    admin.generation = 1;
    return admin;
}

BOTH_BASES(send, of_an_exit_request_spares_the_systems_own, .init = journal_clear)
{
    uint64_t refused = test_system_counts(ts).refused;
    th_self *other;
    th_addr actor;

    cr_assert_eq(th_endpoint_open(ts->sys, &other), TH_OK);
    cr_assert_eq(th_stop(ts->me, admin_of(ts)), TH_E_NOT_ALLOWED);
    cr_assert_eq(th_stop(ts->me, th_self_addr(ts->me)), TH_E_NOT_ALLOWED);
    cr_assert_eq(th_stop(ts->me, th_self_addr(other)), TH_E_NOT_ALLOWED);
    cr_assert_eq(test_system_counts(ts).refused, refused + 3);
    actor = puppet_new(ts, (struct part){ .receive = note_work });
    cr_assert_eq(th_stop(ts->me, actor), TH_OK);
    wait_gone(ts, actor);
    cr_assert_eq(test_system_counts(ts).refused, refused + 3);
    cr_assert_eq(th_endpoint_close(other), TH_OK);
}

/* ---- forwarding ---- */

static th_err forward(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (!work_of(msg))
        return TH_OK;
    cr_assert_eq(th_forward(self, th_addr_none(), msg), TH_E_INVALID);
    cr_assert_eq(th_forward(self, puppet->peer, NULL), TH_E_INVALID);
    cr_assert_eq(th_forward(NULL, puppet->peer, msg), TH_E_INVALID);
    cr_assert(th_addr_equal(th_msg_target(msg), th_self_addr(self)));
    return th_forward(self, puppet->peer, msg);
}

static uint64_t set_peer(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)self;
    puppet->peer = order->addr;
    return 0;
}

BOTH_BASES(send, that_is_forwarded_keeps_its_first_sender, .init = journal_clear)
{
    enum { LINKS = 4 };
    th_addr chain[LINKS], last = puppet_new(ts, (struct part){ .receive = note_work });

    for (int i = 0; i < LINKS; i++) {
        chain[i] = puppet_new(ts, (struct part){ .receive = forward });
        tell_order(ts, chain[i],
                   (struct order){ .run = set_peer, .addr = i ? chain[i - 1] : last });
    }
    send_works(ts->me, chain[LINKS - 1], 10, 3);
    journal_wait(ts, 3);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(journal[i].number, 10 + i);
        cr_assert(th_addr_equal(journal[i].addr, th_self_addr(ts->me)));
    }
    tell(ts, last, order_nothing, 0);
}

/* ---- at the wrong moment ---- */

static uint64_t send_while_blocking(th_self *self, struct puppet *puppet, const struct order *order)
{
    th_err err;

    (void)puppet;
    cr_assert_eq(th_blocking_begin(self), TH_OK);
    err = th_send(self, order->addr, work_make(self, 1));
    cr_assert_eq(th_blocking_end(self), TH_OK);
    cr_assert_eq(th_send(self, order->addr, work_make(self, 2)), TH_OK);
    return err;
}

Test(send, from_inside_a_blocking_call_is_refused, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr to = puppet_new(&ts, (struct part){ .receive = note_work });
    th_addr from = puppet_new(&ts, (struct part){ .number = 0 });

    cr_assert_eq(tell_order(&ts, from, (struct order){ .run = send_while_blocking, .addr = to }),
                 TH_E_STATE);
    journal_wait(&ts, 1);
    cr_assert_eq(journal[0].number, 2);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&journal_length), 1);
    works_gone();
}

BOTH_BASES(send, after_the_shutdown_is_refused, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = note_work });

    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(th_send(ts->me, actor, work_make(ts->me, 1)), TH_E_CLOSED);
    works_gone();
}
