/* Who waits for a mailbox: how many may, and what lets them go. */
#include "puppet.h"

#include "runtime/actor/hold.h"
#include "runtime/actor/mail.h"
#include "runtime/actor/send.h"
#include "mailbox/msg.h"

static struct thi_cell *cell_of(struct test_system *ts, th_addr actor)
{
    return thi_directory_find(&thi_stage_of(ts->me)->directory, actor);
}

static struct thi_credits *credits_of(struct test_system *ts, th_addr actor)
{
    return cell_of(ts, actor)->extra->credits;
}

static th_addr make(struct test_system *ts, uint32_t limit, th_when_full when_full)
{
    th_spawn_options options = { .klass = &puppet_class,
                                 .mailbox = { .limit = limit, .when_full = when_full } };
    th_addr actor;

    cr_assert_eq(th_create(ts->me, &options, TEST_PATIENCE, &actor, NULL), TH_OK);
    return actor;
}

/* Each of the following runs in one handler, on the simple base: nobody else runs meanwhile. */
static uint64_t fill(th_self *self, struct puppet *puppet, const struct order *order)
{
    struct thi_cell *cell = thi_cell_of_self(self);

    (void)puppet;
    send_works(self, order->addr, 0, order->number);
    return (cell->flags & THI_CELL_HELD) != 0;
}

static uint64_t fill_without_room(th_self *self, struct puppet *puppet, const struct order *order)
{
    struct thi_stage *stage = thi_stage_of(self);
    struct thi_credits *credits =
        thi_directory_find(&stage->directory, order->addr)->extra->credits;
    uint64_t held;

    credits->waiter_count = TH_MAILBOX_WAITERS_MAX;
    held = fill(self, puppet, order);
    if (th_when_writable(self, order->addr) != TH_E_LIMIT)
        held = 2;
    credits->waiter_count = 0;
    return held;
}

static uint64_t ask(struct test_system *ts, th_addr actor, order_run run, th_addr whom,
                    uint64_t number)
{
    return tell_order(ts, actor, (struct order){ .run = run, .addr = whom, .number = number });
}

Test(hold, who_fills_it_is_held_once)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr target = make(&ts, 2, TH_WHEN_FULL_HOLD), actor = puppet_new(&ts, (struct part){ 0 });

    cr_assert_eq(ask(&ts, actor, fill, target, 1), 0);
    cr_assert_eq(ask(&ts, actor, fill, target, 2), 1);
    cr_assert_eq(ask(&ts, actor, fill, target, 5), 1, "past the limit, in one handler");
    cr_assert_eq(test_system_counts(&ts).holds, 2);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(thi_credits_look(credits_of(&ts, target)), 0);
    cr_assert_eq(ask(&ts, target, fill, target, 5), 0, "by itself");
    cr_assert_gt(test_system_counts(&ts).hold_circles, 0);
    cr_assert_eq(
        ask(&ts, make(&ts, 2, TH_WHEN_FULL_HOLD), fill, make(&ts, 1, TH_WHEN_FULL_DROP), 3), 0,
        "where it drops");
    test_system_close(&ts);
    works_gone();
}

/* As when the mailbox drains beside the handler, which goes on and fills it once more. */
static uint64_t fill_twice(th_self *self, struct puppet *puppet, const struct order *order)
{
    struct thi_cell *target = thi_directory_find(&thi_stage_of(self)->directory, order->addr);
    uint64_t held = fill(self, puppet, order);

    target->extra->credits->begun = (uint32_t)order->number;
    thi_credits_settle(self, target);
    thi_credits_again(target, (uint32_t)order->number);
    return held;
}

Test(hold, who_was_released_too_early_is_held_again)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr target = make(&ts, 2, TH_WHEN_FULL_HOLD), actor = puppet_new(&ts, (struct part){ 0 });

    cr_assert_eq(ask(&ts, actor, fill_twice, target, 3), 1);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(test_system_counts(&ts).holds, 2);
    cr_assert_eq(cell_of(&ts, actor)->flags & THI_CELL_HELD, 0);
    cr_assert_eq(thi_credits_look(credits_of(&ts, target)), 0);
    test_system_close(&ts);
    works_gone();
}

Test(hold, past_its_limit_nobody_waits)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr target = make(&ts, 2, TH_WHEN_FULL_HOLD), actor = puppet_new(&ts, (struct part){ 0 });

    cr_assert_eq(ask(&ts, actor, fill_without_room, target, 2), 0);
    cr_assert_eq(test_system_counts(&ts).holds_missed, 1);
    cr_assert_eq(test_system_counts(&ts).holds, 0);
    test_system_close(&ts);
    works_gone();
}

/* ---- the way from one to the next ---- */

static uint64_t fill_and_look(th_self *self, struct puppet *puppet, const struct order *order)
{
    struct thi_credits *own = thi_cell_of_self(self)->extra->credits;
    uint64_t held = fill(self, puppet, order);

    return held && th_addr_equal(own->held_on, order->addr);
}

Test(hold, the_way_ends_with_the_hold)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr target = make(&ts, 1, TH_WHEN_FULL_HOLD), actor = make(&ts, 9, TH_WHEN_FULL_HOLD);

    cr_assert_eq(ask(&ts, actor, fill_and_look, target, 1), 1);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert(th_addr_is_none(credits_of(&ts, actor)->held_on));
    cr_assert_eq(cell_of(&ts, actor)->flags & THI_CELL_HELD, 0);
    test_system_close(&ts);
    works_gone();
}

static uint64_t fill_and_exit(th_self *self, struct puppet *puppet, const struct order *order)
{
    uint64_t held = fill(self, puppet, order);

    return th_exit(self) ? 2 : held;
}

/* Who exits while it is held is waited for by nobody, and its release finds nobody. */
Test(hold, who_exits_is_held_no_more)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr target = make(&ts, 1, TH_WHEN_FULL_HOLD), actor = make(&ts, 9, TH_WHEN_FULL_HOLD);

    cr_assert_eq(ask(&ts, actor, fill_and_exit, target, 1), 1);
    wait_gone(&ts, actor);
    cr_assert_eq(credits_of(&ts, target)->waiter_count, 0);
    cr_assert_eq(thi_credits_look(credits_of(&ts, target)), 0);
    test_system_close(&ts);
    works_gone();
}

/* A release that comes to one who is not held (any more) changes nothing. */
Test(hold, a_late_release_is_nothing)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = make(&ts, 9, TH_WHEN_FULL_HOLD);
    th_msg *msg = thi_msg_create(ts.me->voice.heap, &thi_released_type, 0);

    cr_assert_not_null(msg);
    thi_post_to(ts.me, actor, actor, msg);
    cr_assert_eq(tell(&ts, actor, order_nothing, 0), 0);
    cr_assert_eq(cell_of(&ts, actor)->flags & THI_CELL_HELD, 0);
    test_system_close(&ts);
}

Test(hold, the_systems_own_actor_is_not_held)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr target = make(&ts, 1, TH_WHEN_FULL_HOLD);
    struct thi_stage *stage = thi_stage_of(ts.me);
    struct thi_cell *admin = thi_directory_at(&stage->directory, stage->admin.slot);

    send_works(ts.me, target, 0, 1);
    thi_stage_enter(stage);
    admin->self.worker = &stage->step.worker; /* as in its turn */
    thi_hold(&admin->self, cell_of(&ts, target));
    thi_stage_leave(stage);
    cr_assert_eq(admin->flags & THI_CELL_HELD, 0);
    cr_assert_eq(credits_of(&ts, target)->waiter_count, 0);
    test_system_close(&ts);
    works_gone();
}
