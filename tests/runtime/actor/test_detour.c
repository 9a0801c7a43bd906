/* The way of messages is straight unless more is asked of an actor, and is so again afterwards:
 * nobody sees the difference but a clock. */
#include "puppet.h"

#include "runtime/actor/detour.h"
#include <thespis/behaviour.h>
#include <thespis/testkit.h>

static bool is_detour(struct test_system *ts, th_addr actor)
{
    struct thi_cell *cell;

    cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    cell = thi_directory_find(&thi_stage_of(ts->me)->directory, actor);
    cr_assert_not_null(cell);
    return (cell->flags & THI_CELL_DETOUR) != 0;
}

/* ---- behaviours ---- */

static th_err passes(th_self *self, void *state, const th_msg *msg)
{
    return TH_SUPER;
}

static const th_behaviour passing = { .name = "passing", .receive = passes };

static uint64_t become_over(th_self *self, struct puppet *puppet, const struct order *order)
{
    return th_become_over(self, &passing);
}

static uint64_t unbecome(th_self *self, struct puppet *puppet, const struct order *order)
{
    return th_unbecome(self);
}

Test(detour, ends_with_the_last_behaviour)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ 0 });

    cr_assert_not(is_detour(&ts, actor), "nothing is asked of it");
    for (int i = 0; i < 2; i++)
        cr_assert_eq(tell(&ts, actor, become_over, 0), TH_OK);
    for (int i = 0; i < 2; i++) {
        cr_assert(is_detour(&ts, actor));
        cr_assert_eq(tell(&ts, actor, unbecome, 0), TH_OK);
    }
    cr_assert_not(is_detour(&ts, actor));
    test_system_close(&ts);
}

static th_err fail(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    return work_of(msg) ? TH_E_FAILED : TH_OK;
}

static const th_class reborn_class = PUPPET("reborn", .on_failure = TH_ON_FAILURE_RESTART);

Test(detour, ends_with_a_restart)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_spawn(ts.me, &reborn_class, (struct part){ .receive = fail });

    cr_assert_eq(tell(&ts, actor, become_over, 0), TH_OK);
    cr_assert(is_detour(&ts, actor));
    send_works(ts.me, actor, 0, 1);
    cr_assert_not(is_detour(&ts, actor));
    test_system_close(&ts);
    works_gone();
}

/* ---- failures on order ---- */

Test(detour, ends_with_the_last_injected_failure)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ 0 });

    cr_assert_not(is_detour(&ts, actor));
    cr_assert_eq(th_inject_failure(ts.sys, actor, TH_E_FAILED, TH_DELIVERIES_MAX + 1), TH_OK);
    send_works(ts.me, actor, 0, 1);
    cr_assert(is_detour(&ts, actor), "one is left");
    send_works(ts.me, actor, 0, 1);
    cr_assert_not(is_detour(&ts, actor));
    cr_assert_eq(th_inject_failure(ts.sys, actor, TH_E_FAILED, 9), TH_OK);
    cr_assert(is_detour(&ts, actor));
    cr_assert_eq(th_inject_failure(ts.sys, actor, TH_E_FAILED, 0), TH_OK);
    cr_assert_not(is_detour(&ts, actor), "taken back");
    test_system_close(&ts);
    works_gone();
}

/* One reason of several does not end it. */
Test(detour, stays_while_one_reason_is_left)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = puppet_new(&ts, (struct part){ 0 });

    cr_assert_eq(tell(&ts, actor, become_over, 0), TH_OK);
    cr_assert_eq(th_inject_failure(ts.sys, actor, TH_E_FAILED, TH_DELIVERIES_MAX), TH_OK);
    send_works(ts.me, actor, 0, 1);
    cr_assert(is_detour(&ts, actor));
    cr_assert_eq(tell(&ts, actor, unbecome, 0), TH_OK);
    cr_assert_not(is_detour(&ts, actor));
    test_system_close(&ts);
    works_gone();
}

/* ---- first messages ---- */

static th_err ready(th_self *self, void *state, const th_msg *const *got)
{
    return TH_OK;
}

static const th_type *const first_types[] = { &work_type, NULL };
static const th_initial first = { .types = first_types, .ready = ready };
static const th_class waiting_class =
    PUPPET("waiting", .on_failure = TH_ON_FAILURE_KEEP, .initial = &first);
static const th_class waiting_reborn_class =
    PUPPET("waiting", .on_failure = TH_ON_FAILURE_RESTART, .initial = &first);

Test(detour, ends_when_the_first_messages_have_come)
{
    const th_class *const classes[] = { &waiting_class, &waiting_reborn_class };
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);

    for (int i = 0; i < 2; i++) {
        th_addr actor = puppet_spawn(ts.me, classes[i], (struct part){ 0 });

        cr_assert(is_detour(&ts, actor));
        send_works(ts.me, actor, 0, 1);
        cr_assert_not(is_detour(&ts, actor));
    }
    test_system_close(&ts);
    works_gone();
}

/* ---- transient actors ---- */

static const th_class aging_class =
    PUPPET("aging", .on_failure = TH_ON_FAILURE_KEEP, .age_ns_max = TH_S(3600));
static const th_class idle_class =
    PUPPET("idle", .on_failure = TH_ON_FAILURE_KEEP, .idle_ns_max = TH_S(3600));

/* An age is set by the first message, idleness by each. */
Test(detour, ends_with_the_first_message_where_only_age_counts)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr aging = puppet_spawn(ts.me, &aging_class, (struct part){ 0 });
    th_addr idle = puppet_spawn(ts.me, &idle_class, (struct part){ 0 });

    cr_assert(is_detour(&ts, aging) && is_detour(&ts, idle));
    send_works(ts.me, aging, 0, 1);
    send_works(ts.me, idle, 0, 1);
    cr_assert_not(is_detour(&ts, aging));
    cr_assert(is_detour(&ts, idle));
    test_system_close(&ts);
    works_gone();
}
