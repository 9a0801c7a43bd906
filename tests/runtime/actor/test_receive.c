/* A turn: what it handles, in which order, how much of it, and what becomes of what fails. */
#include "puppet.h"

#include <thespis/config.h>

enum { WORK = 1, WAKEUP, POISON, GONE, INIT, EXITED };

static th_err note_all(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (work_of(msg))
        note(WORK, work_of(msg)->number, th_self_addr(self));
    else if (th_wakeup_of(msg))
        note(WAKEUP, 0, th_addr_none());
    else if (th_child_exited_of(msg))
        note(GONE, th_child_exited_of(msg)->reason, th_child_exited_of(msg)->child);
    puppet->seen++;
    return TH_OK;
}

/* ---- the budget ---- */

Test(receive, turn_ends_with_its_budget, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr flooded = puppet_new(&ts, (struct part){ .receive = note_all });
    th_addr neighbour = puppet_new(&ts, (struct part){ .number = 1, .receive = note_all });
    enum { FLOOD = 2 * TH_TURN_MESSAGES_MAX + 500 };
    size_t depth;
    bool ran;

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    send_works(ts.me, flooded, 0, FLOOD);
    send_works(ts.me, neighbour, 7777, 1);
    cr_assert_eq(th_step(ts.sys, &ran), TH_OK);
    cr_assert_eq(th_mailbox_depth(ts.sys, flooded, &depth), TH_OK);
    cr_assert_eq(depth, FLOOD - TH_TURN_MESSAGES_MAX);
    cr_assert_eq(th_step(ts.sys, &ran), TH_OK);
    cr_assert_eq(journal[TH_TURN_MESSAGES_MAX].number, 7777, "then the neighbour");
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), FLOOD + 1);
    for (int i = 0; i < TH_TURN_MESSAGES_MAX; i++)
        cr_assert_eq(journal[i].number, i);
    for (int i = TH_TURN_MESSAGES_MAX; i < FLOOD; i++)
        cr_assert_eq(journal[i + 1].number, i);
    test_system_close(&ts);
    works_gone();
}

/* One who never comes to an end, since each message sends the next. */
static _Atomic bool stop_flood;

static th_err go_round(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)puppet;
    if (work_of(msg) && !atomic_load(&stop_flood))
        send_works(self, th_self_addr(self), 0, 1);
    return TH_OK;
}

static void neighbour_has_its_turn(uint32_t workers)
{
    th_options options = { .workers = workers };
    struct test_system ts = test_system_open_with(&options);
    th_addr endless[4], neighbour = puppet_new(&ts, (struct part){ .receive = note_all });

    atomic_store(&stop_flood, false);
    for (int i = 0; i < 4; i++) {
        endless[i] = puppet_new(&ts, (struct part){ .receive = go_round });
        send_works(ts.me, endless[i], 0, 100 + 900 * (i % 2));
    }
    for (int i = 0; i < 200; i++)
        cr_assert_eq(tell(&ts, neighbour, order_nothing, 0), 0);
    atomic_store(&stop_flood, true);
    test_system_close(&ts);
    works_gone();
}

Test(receive, flood_does_not_starve_a_neighbour_on_one_worker, .init = journal_clear, .timeout = 60)
{
    neighbour_has_its_turn(1);
}

Test(receive, flood_does_not_starve_a_neighbour_on_two_workers, .init = journal_clear,
     .timeout = 60)
{
    neighbour_has_its_turn(2);
}

/* ---- the urgent lane ---- */

/* A wakeup that may be forwarded: it is system mail, and overtakes work. */
static th_msg *get_wakeup(struct test_system *ts)
{
    th_msg *msg;

    cr_assert_eq(th_wakeup_after(ts->me, 0, NULL, NULL), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(th_wakeup_of(msg));
    return msg;
}

Test(receive, urgent_mail_comes_before_what_waits, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = puppet_new(&ts, (struct part){ .receive = note_all });
    th_msg *wakeup = get_wakeup(&ts);

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    send_works(ts.me, actor, 0, 3);
    cr_assert_eq(th_forward(ts.me, actor, wakeup), TH_OK);
    send_works(ts.me, actor, 3, 3);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 7);
    cr_assert_eq(journal[0].what, WAKEUP);
    for (unsigned i = 1; i < 7; i++)
        cr_assert_eq(journal[i].number, i - 1);
    th_msg_destroy(ts.me, wakeup);
    test_system_close(&ts);
}

static th_msg *urgent;

static th_err forward_at_first(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (puppet->seen == 0)
        for (int i = 0; i < 2; i++)
            cr_assert_eq(th_forward(self, th_self_addr(self), urgent), TH_OK);
    return note_all(self, puppet, msg);
}

Test(receive, urgent_mail_comes_before_the_rest_of_a_batch, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = puppet_new(&ts, (struct part){ .receive = forward_at_first });

    urgent = get_wakeup(&ts);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    send_works(ts.me, actor, 0, 4);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 6);
    cr_assert_eq(journal[0].what, WORK);
    cr_assert_eq(journal[1].what, WAKEUP);
    cr_assert_eq(journal[2].what, WAKEUP);
    for (unsigned i = 3; i < 6; i++)
        cr_assert_eq(journal[i].number, i - 2);
    th_msg_destroy(ts.me, urgent);
    test_system_close(&ts);
}

BOTH_BASES(receive, exit_request_overtakes_no_work, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = note_all });

    send_works(ts->me, actor, 0, 100);
    cr_assert_eq(th_stop(ts->me, actor), TH_OK);
    wait_gone(ts, actor);
    cr_assert_eq(atomic_load(&journal_length), 100);
    cr_assert_eq(test_system_counts(ts).dead, 0);
}

/* ---- failure ---- */

/* Fails the first .number deliveries, and counts them all. */
static th_err fail_first(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (!work_of(msg))
        return TH_OK;
    note(WORK, work_of(msg)->number, th_self_addr(self));
    return ++puppet->seen <= puppet->part.number ? th_fail(self, TH_E_PARSE, "at %d", 3) : TH_OK;
}

/* The message that comes back. */
static th_msg *get_poison(struct test_system *ts)
{
    th_msg *msg;

    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(th_poison_of(msg));
    return msg;
}

BOTH_BASES(receive, failed_message_is_tried_once_more, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 1, .receive = fail_first });
    th_counts counts;
    th_msg *msg;

    send_works(ts->me, actor, 5, 1);
    cr_assert_eq(tell(ts, actor, order_nothing, 0), 2, "twice");
    cr_assert_eq(th_listen(ts->me, 0, &msg), TH_E_TIMEOUT, "and no poison");
    counts = test_system_counts(ts);
    cr_assert_eq(counts.failed, 1);
    cr_assert_eq(counts.poisoned, 0);
    works_gone();
}

BOTH_BASES(receive, message_that_fails_twice_is_poison, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 100, .receive = fail_first });
    const struct th_poison *poison;
    th_counts counts;
    th_msg *msg;

    send_works(ts->me, actor, 5, 1);
    msg = get_poison(ts);
    poison = th_poison_of(msg);
    cr_assert(th_addr_equal(th_msg_sender(msg), actor));
    cr_assert_eq(poison->err, TH_E_PARSE);
    cr_assert_eq(poison->deliveries, TH_DELIVERIES_MAX);
    cr_assert_str_eq(poison->details->data, "at 3");
    cr_assert_eq(work_of(poison->message)->number, 5);
    cr_assert_eq(atomic_load(&works_alive), 1);
    th_msg_destroy(ts->me, msg);
    works_gone();
    cr_assert_eq(tell(ts, actor, order_nothing, 0), TH_DELIVERIES_MAX, "it carries on");
    counts = test_system_counts(ts);
    cr_assert_eq(counts.failed, TH_DELIVERIES_MAX);
    cr_assert_eq(counts.poisoned, 1);
}

static th_err fail_in_words_once(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (!work_of(msg))
        return TH_OK;
    return ++puppet->seen <= TH_DELIVERIES_MAX ? th_fail(self, TH_E_PARSE, "words") : TH_E_LIMIT;
}

BOTH_BASES(receive, words_of_one_failure_are_not_the_next_ones, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = fail_in_words_once });
    th_msg *msg;

    send_works(ts->me, actor, 0, 2);
    msg = get_poison(ts);
    cr_assert_str_eq(th_poison_of(msg)->details->data, "words");
    th_msg_destroy(ts->me, msg);
    msg = get_poison(ts);
    cr_assert_eq(th_poison_of(msg)->err, TH_E_LIMIT);
    cr_assert_str_eq(th_poison_of(msg)->details->data, th_strerror(TH_E_LIMIT));
    th_msg_destroy(ts->me, msg);
}

/* ---- what a class does about it ---- */

static const th_class restart_class = PUPPET("phoenix", .on_failure = TH_ON_FAILURE_RESTART);
static const th_class stop_class = PUPPET("mortal", .on_failure = TH_ON_FAILURE_STOP);

static th_err note_init(th_self *self, struct puppet *puppet)
{
    cr_assert_eq(puppet->seen, 0, "state is zero");
    note(INIT, puppet->part.number, th_self_addr(self));
    return TH_OK;
}

static void note_end(th_self *self, struct puppet *puppet)
{
    note(EXITED, puppet->seen, th_self_addr(self));
}

static th_err fail_work(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)self;
    if (!work_of(msg))
        return TH_OK;
    puppet->seen++;
    return work_of(msg)->number == 0 ? TH_E_PARSE : TH_OK;
}

static const struct part failing = {
    .number = 9, .init = note_init, .receive = fail_work, .exit = note_end
};

BOTH_BASES(receive, failure_keeps_the_state_by_default, .init = journal_clear)
{
    th_addr actor = puppet_spawn(ts->me, &puppet_class, failing);

    send_works(ts->me, actor, 0, 4);
    th_msg_destroy(ts->me, get_poison(ts));
    cr_assert_eq(tell(ts, actor, order_nothing, 0), TH_DELIVERIES_MAX + 3);
    cr_assert_eq(atomic_load(&journal_length), 1);
    works_gone();
}

BOTH_BASES(receive, failure_may_restart_the_actor, .init = journal_clear)
{
    th_addr actor = puppet_spawn(ts->me, &restart_class, failing);

    tell(ts, actor, order_nothing, 0);
    send_works(ts->me, actor, 0, 4);
    th_msg_destroy(ts->me, get_poison(ts));
    cr_assert_eq(tell(ts, actor, order_nothing, 0), 3, "same address, mail kept, state new");
    cr_assert_eq(atomic_load(&journal_length), 3);
    cr_assert_eq(journal[0].what, INIT);
    cr_assert_eq(journal[1].what, EXITED);
    cr_assert_eq(journal[1].number, TH_DELIVERIES_MAX);
    cr_assert_eq(journal[2].what, INIT);
    cr_assert_eq(journal[2].number, 9, "with the first argument");
    works_gone();
}

static _Atomic bool was_born;

static th_err init_once(th_self *self, struct puppet *puppet)
{
    (void)puppet;
    return atomic_exchange(&was_born, true) ? th_fail(self, TH_E_LIMIT, "once only") : TH_OK;
}

static uint64_t spawn_reborn(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)order;
    puppet->peer = puppet_spawn(self, &restart_class,
                                (struct part){ .init = init_once, .receive = fail_work });
    send_works(self, puppet->peer, 0, 1);
    return 0;
}

BOTH_BASES(receive, restart_whose_init_fails_is_an_exit, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, (struct part){ .receive = note_all });

    atomic_store(&was_born, false);
    tell(ts, parent, spawn_reborn, 0);
    journal_wait(ts, 1);
    cr_assert_eq(journal[0].what, GONE);
    cr_assert_eq(journal[0].number, TH_EXIT_INIT);
}

BOTH_BASES(receive, failure_may_stop_the_actor, .init = journal_clear)
{
    th_addr actor = puppet_spawn(ts->me, &stop_class, failing);
    th_counts counts;

    tell(ts, actor, order_nothing, 0);
    send_works(ts->me, actor, 0, 4);
    th_msg_destroy(ts->me, get_poison(ts));
    wait_gone(ts, actor);
    cr_assert_eq(journal[1].what, EXITED);
    cr_assert_eq(journal[1].number, TH_DELIVERIES_MAX);
    counts = test_system_counts(ts);
    cr_assert_eq(counts.dead, 3);
    works_gone();
}

/* ---- one message alone ---- */

static th_err send_self(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (!work_of(msg))
        return TH_OK;
    note(WORK, work_of(msg)->number, th_self_addr(self));
    puppet->seen++;
    if (work_of(msg)->number == 0)
        send_works(self, th_self_addr(self), 1, puppet->part.number);
    return TH_OK;
}

BOTH_BASES(receive, lone_message_may_send_to_itself, .init = journal_clear)
{
    for (unsigned count = 0; count < 4; count++) {
        th_addr actor = puppet_new(ts, (struct part){ .number = count, .receive = send_self });

        tell(ts, actor, order_nothing, 0);
        journal_clear();
        send_works(ts->me, actor, 0, 1);
        journal_wait(ts, 1 + count);
        for (unsigned i = 0; i <= count; i++)
            cr_assert_eq(journal[i].number, i);
        cr_assert_eq(tell(ts, actor, order_nothing, 0), 1 + count);
    }
    works_gone();
}

static th_err exit_or_fail(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (!work_of(msg))
        return TH_OK;
    note(WORK, ++puppet->seen, th_self_addr(self));
    send_works(self, th_self_addr(self), 1, puppet->part.number);
    if (work_of(msg)->number != 0)
        return TH_OK;
    return puppet->part.number % 2 ? th_exit(self) : TH_E_FAILED;
}

BOTH_BASES(receive, lone_message_may_exit, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 1, .receive = exit_or_fail });

    tell(ts, actor, order_nothing, 0);
    send_works(ts->me, actor, 0, 1);
    wait_gone(ts, actor);
    cr_assert_eq(atomic_load(&journal_length), 1);
    cr_assert_eq(test_system_counts(ts).dead_by_reason[TH_DEAD_WAITING], 1, "what it sent itself");
    works_gone();
}

BOTH_BASES(receive, lone_message_may_fail, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .number = 0, .receive = exit_or_fail });

    for (unsigned i = 1; i <= 5; i++) {
        tell(ts, actor, order_nothing, 0); /* asleep, or about to be */
        send_works(ts->me, actor, 0, 1);
        th_msg_destroy(ts->me, get_poison(ts));
        cr_assert_eq(atomic_load(&journal_length), TH_DELIVERIES_MAX * i, "not once more");
    }
    cr_assert_eq(test_system_counts(ts).failed, TH_DELIVERIES_MAX * 5);
    works_gone();
}

/* ---- blocking that was not ended ---- */

static th_err begin_and_forget(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (work_of(msg)) {
        cr_assert_eq(th_blocking_begin(self), TH_OK);
        cr_assert_eq(th_blocking_begin(self), TH_E_STATE);
        puppet->seen++;
    }
    return TH_OK;
}

static uint64_t end_blocking(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return th_blocking_end(self);
}

BOTH_BASES(receive, blocking_that_was_not_ended_ends_with_the_handler, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, (struct part){ .receive = begin_and_forget });
    th_system_status status;

    cr_assert_eq(tell(ts, actor, end_blocking, 0), TH_E_STATE, "not begun");
    send_works(ts->me, actor, 0, 5);
    cr_assert_eq(tell(ts, actor, order_nothing, 0), 5);
    cr_assert_eq(tell(ts, actor, end_blocking, 0), TH_E_STATE, "ended for it");
    cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    cr_assert_eq(status.pool.blocked, 0);
}

/* ---- a class without a receive ---- */

static const th_class deaf_class = { .name = "deaf" };

BOTH_BASES(receive, class_without_a_receive_ignores_everything, .init = journal_clear)
{
    th_addr actor;

    cr_assert_eq(th_spawn(ts->me, &deaf_class, NULL, &actor), TH_OK);
    send_works(ts->me, actor, 0, 10);
    cr_assert_eq(th_stop(ts->me, actor), TH_OK);
    wait_gone(ts, actor);
    cr_assert_eq(test_system_counts(ts).dead, 0);
    works_gone();
}

Test(receive, failure_can_be_injected, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = puppet_new(&ts, (struct part){ .receive = note_all });
    th_msg *msg;

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(th_inject_failure(ts.sys, actor, TH_E_LIMIT, 3), TH_OK);
    send_works(ts.me, actor, 0, 2);
    msg = get_poison(&ts);
    cr_assert_eq(th_poison_of(msg)->err, TH_E_LIMIT);
    cr_assert_eq(work_of(th_poison_of(msg)->message)->number, 0);
    cr_assert_eq(atomic_load(&journal_length), 1, "the second, at its second delivery");
    cr_assert_eq(journal[0].number, 1);
    th_msg_destroy(ts.me, msg);
    test_system_close(&ts);
    works_gone();
}
