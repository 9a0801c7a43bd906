/* What waits for memory: tried again, all of it, in its order, and without any. */
#include "puppet.h"

#include "runtime/actor/send.h"
#include "runtime/actor/stall.h"
#include "mailbox/msg.h"

enum { WORK_SEEN = 1 };

static th_err note_work(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (work_of(msg))
        note(WORK_SEEN, work_of(msg)->number, th_self_addr(self));
    return TH_OK;
}

static th_msg *work_to(struct test_system *ts, th_addr actor, uint64_t number)
{
    th_msg *msg = work_make(ts->me, number);

    cr_assert_not_null(msg);
    msg->thi_from = th_self_addr(ts->me);
    msg->thi_to = actor;
    return msg;
}

/* As for one that was sent and found no memory: it is in the books. */
static void stall(struct test_system *ts, th_addr actor, uint64_t number)
{
    struct thi_stage *stage = thi_stage_of(ts->me);

    thi_stage_enter(stage);
    thi_count(ts->me, THI_STAT_ACCEPTED);
    thi_stall_post(stage, work_to(ts, actor, number));
    thi_stage_leave(stage);
}

Test(stall, mail_comes_later_and_in_its_order, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ .receive = note_work });

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    for (uint64_t i = 0; i < 5; i++)
        stall(&ts, actor, i);
    cr_assert_eq(th_advance(ts.sys, TH_STALL_NS - 1), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 0, "not before");
    cr_assert_eq(th_advance(ts.sys, 1), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 5);
    for (unsigned i = 0; i < 5; i++)
        cr_assert_eq(journal[i].number, i);
    test_system_close(&ts);
    works_gone();
}

/* S2: who comes later has the timer of the first; who comes after it a new one. */
Test(stall, one_timer_serves_all_who_wait, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ .receive = note_work });

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    stall(&ts, actor, 0);
    cr_assert_eq(th_advance(ts.sys, TH_STALL_NS / 2), TH_OK);
    stall(&ts, actor, 1);
    cr_assert_eq(th_advance(ts.sys, TH_STALL_NS / 2), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 2);
    stall(&ts, actor, 2);
    cr_assert_eq(th_advance(ts.sys, TH_STALL_NS - 1), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 2);
    cr_assert_eq(th_advance(ts.sys, 1), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 3);
    test_system_close(&ts);
    works_gone();
}

Test(stall, mail_for_one_that_is_gone_by_then_is_dead, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ .receive = note_work });

    stall(&ts, actor, 0);
    cr_assert_eq(th_stop(ts.me, actor), TH_OK);
    wait_gone(&ts, actor);
    cr_assert_eq(th_advance(ts.sys, TH_STALL_NS), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 0);
    cr_assert_eq(test_system_counts(&ts).dead_by_reason[TH_DEAD_NO_ACTOR], 1);
    test_system_close(&ts);
    works_gone();
}

/* Nothing of it is left when the system is gone. */
Test(stall, what_waits_at_the_end_is_dead, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ .receive = note_work });

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    stall(&ts, actor, 0);
    stall(&ts, actor, 1);
    test_system_close(&ts);
    works_gone();
}
