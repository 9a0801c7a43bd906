/* Children first, then child-exited, exactly once, whatever the cause.
 *
 * Past 500 lines: an exit has one order, and each part of it is tried with the same puppets. */
#include "puppet.h"

enum { CHILD_GONE = 1, EXITED, LETTER };

/* A parent that writes down whose exit it is told of. */
static th_err note_exits(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    const struct th_child_exited *gone = th_child_exited_of(msg);

    (void)self, (void)puppet;
    if (gone)
        note(CHILD_GONE, gone->reason, gone->child);
    return TH_OK;
}

static void note_exit(th_self *self, struct puppet *puppet)
{
    note(EXITED, puppet->part.number, th_self_addr(self));
}

static const struct part parent_part = { .receive = note_exits };

/* ---- the causes: one child each ---- */

static th_err fail_init(th_self *self, struct puppet *puppet)
{
    (void)puppet;
    return th_fail(self, TH_E_PARSE, "no way");
}

static th_err exit_at_once(th_self *self, struct puppet *puppet)
{
    (void)puppet;
    return th_exit(self);
}

static th_err exit_on_work(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)puppet;
    return work_of(msg) ? th_exit(self) : TH_OK;
}

static th_err fail_on_work(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)puppet;
    return work_of(msg) ? th_fail(self, TH_E_TOO_BIG, "work %d", 7) : TH_OK;
}

static const th_class fragile_class = PUPPET("fragile", .on_failure = TH_ON_FAILURE_STOP);

enum cause { INIT_FAILS, EXITS_IN_INIT, EXITS_IN_WORK, IS_STOPPED, FAILS, CAUSES };

static const struct {
    const th_class *klass;
    struct part part;
    th_exit_reason reason;
    bool wants_work, wants_stop;
} causes[CAUSES] = {
    [INIT_FAILS] = { &puppet_class, { .init = fail_init }, TH_EXIT_INIT, false, false },
    [EXITS_IN_INIT] = { &puppet_class, { .init = exit_at_once }, TH_EXIT_NORMAL, false, false },
    [EXITS_IN_WORK] = { &puppet_class, { .receive = exit_on_work }, TH_EXIT_NORMAL, true, false },
    [IS_STOPPED] = { &puppet_class, { .number = 0 }, TH_EXIT_REQUESTED, false, true },
    [FAILS] = { &fragile_class, { .receive = fail_on_work }, TH_EXIT_FAILED, true, false },
};

static th_addr victims[CAUSES];

static uint64_t spawn_victims(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    for (int i = 0; i < CAUSES; i++) {
        victims[i] = puppet_spawn(self, causes[i].klass, causes[i].part);
        if (causes[i].wants_work)
            send_works(self, victims[i], 0, 1);
        if (causes[i].wants_stop)
            cr_assert_eq(th_stop(self, victims[i]), TH_OK);
    }
    return 0;
}

BOTH_BASES(exit, of_a_child_is_told_once_with_its_reason, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, parent_part);
    th_actor_status status;

    tell(ts, parent, spawn_victims, 0);
    journal_wait(ts, CAUSES);
    for (int i = 0; i < CAUSES; i++) {
        int told = 0;

        for (unsigned j = 0; j < atomic_load(&journal_length); j++) {
            if (!th_addr_equal(journal[j].addr, victims[i]))
                continue;
            cr_assert_eq(journal[j].what, CHILD_GONE);
            cr_assert_eq(journal[j].number, causes[i].reason, "cause %d: %d", i,
                         (int)journal[j].number);
            told++;
        }
        cr_assert_eq(told, 1, "cause %d was told %d times", i, told);
    }
    tell(ts, parent, order_nothing, 0); /* it has handled the last notice */
    cr_assert_eq(th_actor_status_read(ts->sys, parent, &status), TH_OK);
    cr_assert_eq(status.children, 0);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), CAUSES, "and not again at the end");
    works_gone();
}

static th_err keep_words(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    const struct th_child_exited *gone = th_child_exited_of(msg);

    (void)puppet;
    if (!gone)
        return TH_OK;
    cr_assert_not_null(gone->details);
    if (gone->reason == TH_EXIT_INIT) {
        cr_assert_eq(gone->err, TH_E_PARSE);
        cr_assert_str_eq(gone->details->data, "no way");
    } else {
        cr_assert_eq(gone->reason, TH_EXIT_FAILED);
        cr_assert_eq(gone->err, TH_E_TOO_BIG);
        cr_assert_str_eq(gone->details->data, "work 7");
    }
    cr_assert(th_addr_equal(th_msg_sender(msg), gone->child));
    cr_assert(th_addr_equal(th_msg_target(msg), th_self_addr(self)));
    note(CHILD_GONE, gone->reason, gone->child);
    return TH_OK;
}

static uint64_t spawn_failing(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    puppet_spawn(self, &puppet_class, causes[INIT_FAILS].part);
    send_works(self, puppet_spawn(self, &fragile_class, causes[FAILS].part), 0, 1);
    return 0;
}

BOTH_BASES(exit, by_failure_is_told_with_its_words, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, (struct part){ .receive = keep_words });

    tell(ts, parent, spawn_failing, 0);
    journal_wait(ts, 2);
}

/* ---- children first ---- */

enum { FAMILY = 3, GENERATIONS = 5 };

/* Each but the last generation has FAMILY children; the number is the path to it. */
static th_err found_family(th_self *self, struct puppet *puppet)
{
    uint64_t me = puppet->part.number, limit = 1;

    for (int i = 1; i < GENERATIONS; i++)
        limit *= FAMILY + 1;
    if (me >= limit)
        return TH_OK;
    for (uint64_t i = 1; i <= FAMILY; i++)
        puppet_spawn(self, &puppet_class,
                     (struct part){ .number = me * (FAMILY + 1) + i,
                                    .init = found_family,
                                    .exit = note_exit });
    return TH_OK;
}

static uint64_t actors_alive(struct test_system *ts)
{
    th_counts counts = test_system_counts(ts);

    return counts.spawned - counts.exited;
}

BOTH_BASES(exit, of_a_tree_goes_from_the_leaves_to_the_root, .init = journal_clear)
{
    uint64_t before = actors_alive(ts), total = 0, row = 1;
    th_addr root;

    for (int i = 0; i < GENERATIONS; i++, row *= FAMILY)
        total += row;
    root = puppet_new(ts, (struct part){ .number = 1, .init = found_family, .exit = note_exit });
    if (test_is_simple(ts))
        cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    while (actors_alive(ts) < before + total)
        sched_yield();
    cr_assert_eq(th_stop(ts->me, root), TH_OK);
    wait_gone(ts, root);
    cr_assert_eq(atomic_load(&journal_length), total);
    cr_assert_eq(journal[total - 1].number, 1, "the root is last");
    for (unsigned i = 0; i < total; i++)
        for (unsigned j = i + 1; j < total; j++)
            cr_assert_neq(journal[j].number / (FAMILY + 1), journal[i].number,
                          "%d exited before its child %d", (int)journal[i].number,
                          (int)journal[j].number);
}

static th_err note_request(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)self;
    if (th_exit_request_of(msg))
        note(LETTER, puppet->part.number, th_msg_sender(msg));
    return note_exits(self, puppet, msg);
}

static uint64_t spawn_noting(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    puppet->peer = puppet_spawn(
        self, &puppet_class,
        (struct part){ .number = order->number, .receive = note_request, .exit = note_exit });
    return 0;
}

BOTH_BASES(exit, request_is_seen_by_parent_and_child, .init = journal_clear)
{
    th_addr parent =
        puppet_new(ts, (struct part){ .number = 1, .receive = note_request, .exit = note_exit });

    tell(ts, parent, spawn_noting, 2);
    cr_assert_eq(th_stop(ts->me, parent), TH_OK);
    journal_wait(ts, 5);
    cr_assert_eq(journal[0].what, LETTER);
    cr_assert_eq(journal[0].number, 1);
    cr_assert_eq(journal[1].what, LETTER);
    cr_assert_eq(journal[1].number, 2);
    cr_assert(th_addr_equal(journal[1].addr, parent));
    cr_assert_eq(journal[2].what, EXITED);
    cr_assert_eq(journal[2].number, 2);
    cr_assert_eq(journal[3].what, CHILD_GONE);
    cr_assert_eq(journal[3].number, TH_EXIT_PARENT);
    cr_assert_eq(journal[4].what, EXITED);
    cr_assert_eq(journal[4].number, 1);
}

/* ---- the admin adopts ---- */

static th_err keep_and_exit(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    if (th_exit_request_of(msg))
        cr_assert_eq(th_exit_keep_children(self), TH_OK);
    return note_exits(self, puppet, msg);
}

static uint64_t spawn_plain(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    *(th_addr *)order->pointer =
        puppet_spawn(self, &puppet_class, (struct part){ .exit = note_exit });
    return 0;
}

static uint64_t parent_slot(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet, (void)order;
    return th_addr_is_none(th_self_parent(self)) ? UINT64_MAX : th_self_parent(self).slot;
}

BOTH_BASES(exit, that_keeps_its_children_gives_them_to_the_system, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, (struct part){ .receive = keep_and_exit, .exit = note_exit });
    th_addr children[3];

    for (int i = 0; i < 3; i++)
        tell_order(ts, parent, (struct order){ .run = spawn_plain, .pointer = &children[i] });
    cr_assert_eq(tell(ts, children[1], parent_slot, 0), parent.slot);
    cr_assert_eq(th_stop(ts->me, parent), TH_OK);
    wait_gone(ts, parent);
    cr_assert_eq(atomic_load(&journal_length), 1, "the parent, alone");
    for (int i = 0; i < 3; i++)
        cr_assert_eq(tell(ts, children[i], parent_slot, 0), 0, "the admin's slot");
    cr_assert_eq(th_stop(ts->me, children[0]), TH_OK);
    wait_gone(ts, children[0]);
    cr_assert_eq(tell(ts, children[2], order_nothing, 0), 0);
} /* and the shutdown finds the other two */

static uint64_t ask_keeping(th_self *self, struct puppet *puppet, const struct order *order)
{
    struct th_exit_request request = { .keep_children = true };

    (void)puppet;
    cr_assert_eq(th_exit_request_send(self, order->addr, request), TH_OK);
    return 0;
}

BOTH_BASES(exit, request_may_say_that_the_children_stay, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, parent_part), asker = puppet_new(ts, parent_part), child;

    tell_order(ts, parent, (struct order){ .run = spawn_plain, .pointer = &child });
    tell_order(ts, asker, (struct order){ .run = ask_keeping, .addr = parent });
    wait_gone(ts, parent);
    cr_assert_eq(tell(ts, child, parent_slot, 0), 0);
}

/* Whichever goes first: the notice finds the parent, its closed mailbox, or the admin. The shutdown
 * would wait for ever for a child that ended unheard. */
Test(exit, of_a_child_that_is_being_handed_over_is_heard, .init = journal_clear, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct test_system ts = test_system_open(TH_BASE_SIMPLE, seed);
        th_addr parent =
            puppet_new(&ts, (struct part){ .receive = keep_and_exit, .exit = note_exit });
        th_addr child;

        tell_order(&ts, parent, (struct order){ .run = spawn_plain, .pointer = &child });
        cr_assert_eq(th_stop(ts.me, parent), TH_OK);
        cr_assert_eq(th_stop(ts.me, child), TH_OK);
        wait_gone(&ts, parent);
        wait_gone(&ts, child);
        test_system_close(&ts);
    }
}

static uint64_t spawn_and_leave(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    if (order->number)
        cr_assert_eq(th_exit_keep_children(self), TH_OK);
    *(th_addr *)order->pointer =
        puppet_spawn(self, &puppet_class, (struct part){ .exit = note_exit });
    cr_assert_eq(th_exit(self), TH_OK);
    return 0;
}

BOTH_BASES(exit, of_a_parent_whose_child_never_ran_takes_it_along, .init = journal_clear)
{
    th_addr parent, child;

    for (unsigned i = 1; i <= 50; i++) {
        parent = puppet_new(ts, parent_part);
        tell_order(ts, parent, (struct order){ .run = spawn_and_leave, .pointer = &child });
        wait_gone(ts, parent);
        cr_assert_eq(atomic_load(&journal_length), 2 * i, "the child's exit function, and word");
        cr_assert_eq(journal[2 * i - 2].what, EXITED);
        cr_assert_eq(journal[2 * i - 1].number, TH_EXIT_PARENT);
    }
}

BOTH_BASES(exit, of_a_parent_whose_child_never_ran_may_leave_it, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, parent_part), child;

    tell_order(ts, parent,
               (struct order){ .run = spawn_and_leave, .pointer = &child, .number = 1 });
    wait_gone(ts, parent);
    cr_assert_eq(tell(ts, child, parent_slot, 0), 0);
}

/* ---- what was waiting ---- */

static uint64_t flood_and_exit(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    send_works(self, th_self_addr(self), 0, order->number);
    cr_assert_eq(th_exit(self), TH_OK);
    return 0;
}

BOTH_BASES(exit, makes_dead_letters_of_what_was_waiting, .init = journal_clear)
{
    th_addr actor = puppet_new(ts, parent_part);
    th_counts counts;

    tell(ts, actor, flood_and_exit, 10);
    wait_gone(ts, actor);
    send_works(ts->me, actor, 0, 3);
    counts = test_system_counts(ts);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_WAITING], 10);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_NO_ACTOR], 3);
    cr_assert_eq(counts.dead, 13);
    works_gone();
}

Test(exit, takes_no_more_work_while_its_children_end, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr parent = puppet_new(&ts, parent_part), child;
    th_counts counts;
    bool ran;

    tell_order(&ts, parent, (struct order){ .run = spawn_plain, .pointer = &child });
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(th_stop(ts.me, parent), TH_OK);
    cr_assert_eq(th_step(ts.sys, &ran), TH_OK); /* the parent asked its child, and waits */
    send_works(ts.me, parent, 0, 4);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    counts = test_system_counts(&ts);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_EXITING] + counts.dead_by_reason[TH_DEAD_WAITING],
                 4);
    cr_assert_gt(counts.dead_by_reason[TH_DEAD_EXITING], 0);
    test_system_close(&ts);
    works_gone();
}

Test(exit, of_a_failed_init_says_so_to_its_mail, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = puppet_new(&ts, (struct part){ .init = fail_init });
    th_counts counts;

    send_works(ts.me, actor, 0, 5);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    counts = test_system_counts(&ts);
    cr_assert_eq(counts.dead_by_reason[TH_DEAD_INIT], 5);
    cr_assert_eq(counts.dead, 5);
    test_system_close(&ts);
    works_gone();
}

static void last_words(th_self *self, struct puppet *puppet)
{
    th_addr child;

    cr_assert_eq(th_spawn(self, &puppet_class, NULL, &child), TH_E_CLOSED);
    cr_assert_eq(th_send(self, puppet->peer, work_make(self, 5)), TH_OK);
}

static uint64_t meet(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)self;
    puppet->peer = order->addr;
    return 0;
}

static th_err note_work(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    (void)self, (void)puppet;
    if (work_of(msg))
        note(LETTER, work_of(msg)->number, th_msg_sender(msg));
    return TH_OK;
}

BOTH_BASES(exit, function_may_send_and_may_not_spawn, .init = journal_clear)
{
    th_addr listener = puppet_new(ts, (struct part){ .receive = note_work });
    th_addr actor = puppet_new(ts, (struct part){ .exit = last_words });

    tell_order(ts, actor, (struct order){ .run = meet, .addr = listener });
    cr_assert_eq(th_stop(ts->me, actor), TH_OK);
    journal_wait(ts, 1);
    cr_assert_eq(journal[0].number, 5);
    cr_assert(th_addr_equal(journal[0].addr, actor));
}

/* ---- ten thousand ---- */

enum { MANY = 10000 };

static uint64_t spawn_many(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    for (uint64_t i = 0; i < order->number; i++) {
        th_addr actor;

        cr_assert_eq(th_spawn(self, &puppet_class, NULL, &actor), TH_OK);
    }
    return 0;
}

BOTH_BASES(exit, of_a_parent_of_ten_thousand_tells_of_each, .init = journal_clear, .timeout = 60)
{
    th_addr parent = puppet_new(ts, parent_part);

    tell(ts, parent, spawn_many, MANY);
    cr_assert_eq(th_stop(ts->me, parent), TH_OK);
    wait_gone(ts, parent);
    cr_assert_eq(atomic_load(&journal_length), MANY);
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(journal[i].number, TH_EXIT_PARENT);
}

static th_err forge_chain(th_self *self, struct puppet *puppet)
{
    if (puppet->part.number == 0)
        note(LETTER, 0, th_self_addr(self));
    else
        puppet_spawn(self, &puppet_class,
                     (struct part){ .number = puppet->part.number - 1,
                                    .init = forge_chain,
                                    .exit = note_exit });
    return TH_OK;
}

BOTH_BASES(exit, of_a_chain_of_ten_thousand_goes_link_by_link, .init = journal_clear, .timeout = 60)
{
    th_addr first =
        puppet_new(ts, (struct part){ .number = MANY - 1, .init = forge_chain, .exit = note_exit });

    journal_wait(ts, 1); /* the last link is there */
    cr_assert_eq(th_stop(ts->me, first), TH_OK);
    wait_gone(ts, first);
    cr_assert_eq(atomic_load(&journal_length), MANY + 1);
    for (unsigned i = 1; i <= MANY; i++)
        cr_assert_eq(journal[i].number, i - 1, "the last link first");
}

/* ---- without memory ---- */

Test(exit, without_memory_waits_until_there_is_some, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);

    for (uint64_t nth = 1; nth <= 12; nth++) {
        th_addr parent = puppet_new(&ts, parent_part), child;

        journal_clear();
        tell_order(&ts, parent, (struct order){ .run = spawn_plain, .pointer = &child });
        cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
        cr_assert_eq(th_stop(ts.me, parent), TH_OK);
        cr_assert_eq(th_inject_nomem(ts.sys, nth, true), TH_OK);
        for (int step = 0; step < 100; step++) {
            bool ran;

            cr_assert_eq(th_step(ts.sys, &ran), TH_OK);
        }
        cr_assert_eq(th_inject_nomem(ts.sys, 0, false), TH_OK);
        cr_assert_eq(th_advance(ts.sys, TH_STALL_NS), TH_OK);
        wait_gone(&ts, parent);
        cr_assert_eq(atomic_load(&journal_length), 2, "at %d: exit function and notice", (int)nth);
    }
    test_system_close(&ts);
}

Test(exit, without_memory_waits_and_does_not_spin, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr actor = puppet_new(&ts, (struct part){ .exit = note_exit });
    th_addr bystander = puppet_new(&ts, parent_part);

    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(th_stop(ts.me, actor), TH_OK);
    cr_assert_eq(th_inject_nomem(ts.sys, 1, true), TH_OK);
    cr_assert_eq(th_run_until_idle(ts.sys, 10, NULL), TH_OK, "it goes round and round");
    cr_assert_eq(test_system_counts(&ts).stalls, 1);
    cr_assert_eq(th_advance(ts.sys, 5 * TH_STALL_NS), TH_OK);
    cr_assert_eq(test_system_counts(&ts).stalls, 6, "one look each time");
    cr_assert_eq(atomic_load(&journal_length), 0, "not before it can tell");
    cr_assert_eq(th_inject_nomem(ts.sys, 0, false), TH_OK);
    cr_assert_eq(tell(&ts, bystander, order_nothing, 0), 0);
    cr_assert_eq(th_advance(ts.sys, TH_STALL_NS), TH_OK);
    wait_gone(&ts, actor);
    cr_assert_eq(atomic_load(&journal_length), 1);
    test_system_close(&ts);
}

/* On the pool, of its own thread or not: while there is no memory nobody hears of an end, and
 * when there is some everybody does. */
Test(exit, without_memory_waits_on_the_pool, .init = journal_clear, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr actors[6];

    for (int i = 0; i < 6; i++) {
        th_spawn_options how = { .klass = &puppet_class, .own_thread = i % 2 == 0 };

        cr_assert_eq(th_create(ts.me, &how, TEST_PATIENCE, &actors[i], NULL), TH_OK);
    }
    for (int i = 0; i < 6; i++)
        cr_assert_eq(th_stop(ts.me, actors[i]), TH_OK);
    cr_assert_eq(th_inject_nomem(ts.sys, 1, true), TH_OK);
    for (int i = 0; i < 1000; i++)
        sched_yield();
    cr_assert_eq(th_inject_nomem(ts.sys, 0, false), TH_OK);
    for (int i = 0; i < 6; i++)
        wait_gone(&ts, actors[i]);
    test_system_close(&ts);
}

/* A parent that gives its children away gives all or none; whichever of them ends while it waits
 * for the memory to do so is heard of, by who has it then. */
static void give_away_short_of_memory(uint64_t seed, uint64_t nth)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, seed);
    th_addr parent = puppet_new(&ts, (struct part){ .receive = keep_and_exit });
    th_addr children[4];

    journal_clear();
    for (int i = 0; i < 4; i++)
        tell_order(&ts, parent, (struct order){ .run = spawn_plain, .pointer = &children[i] });
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    for (int i = 0; i < 4; i += 2)
        cr_assert_eq(th_stop(ts.me, children[i]), TH_OK);
    cr_assert_eq(th_stop(ts.me, parent), TH_OK);
    cr_assert_eq(th_inject_nomem(ts.sys, nth, false), TH_OK);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(th_step(ts.sys, NULL), TH_OK);
    while (th_stop(ts.me, children[1]) == TH_E_NOMEM) /* the one allocation may be ours */
        ;
    cr_assert_eq(th_advance(ts.sys, 4 * TH_STALL_NS), TH_OK);
    cr_assert_eq(th_inject_nomem(ts.sys, 0, false), TH_OK); /* if it did not come to that */
    wait_gone(&ts, parent);
    for (int i = 0; i < 3; i++)
        wait_gone(&ts, children[i]);
    cr_assert_eq(tell(&ts, children[3], parent_slot, 0), 0, "the admin's slot");
    test_system_close(&ts);
}

Test(exit, gives_children_away_all_or_none, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= 25; seed++)
        for (uint64_t nth = 1; nth <= 14; nth++)
            give_away_short_of_memory(seed, nth);
}

/* It waits for memory with no child left, and hears of one that was its own. */
Test(exit, that_gave_its_children_away_passes_their_ends_on, .timeout = 60)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct test_system ts = test_system_open(TH_BASE_SIMPLE, seed);
        th_addr parent = puppet_new(&ts, (struct part){ .receive = keep_and_exit });
        th_addr child;

        journal_clear();
        tell_order(&ts, parent, (struct order){ .run = spawn_plain, .pointer = &child });
        cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
        cr_assert_eq(th_stop(ts.me, child), TH_OK);
        cr_assert_eq(th_stop(ts.me, parent), TH_OK);
        cr_assert_eq(th_inject_nomem(ts.sys, 1 + seed % 5, false), TH_OK);
        cr_assert_eq(th_advance(ts.sys, 4 * TH_STALL_NS), TH_OK);
        wait_gone(&ts, child);
        wait_gone(&ts, parent);
        test_system_close(&ts);
    }
}

/* ---- the verbs ---- */

BOTH_BASES(exit, verbs_are_for_actors, .init = journal_clear)
{
    cr_assert_eq(th_exit(NULL), TH_E_INVALID);
    cr_assert_eq(th_exit(ts->me), TH_E_NOT_HERE);
    cr_assert_eq(th_exit_keep_children(NULL), TH_E_INVALID);
    cr_assert_eq(th_exit_keep_children(ts->me), TH_E_NOT_HERE);
    cr_assert_eq(th_stop(NULL, th_addr_none()), TH_E_INVALID);
    cr_assert_eq(th_stop(ts->me, th_addr_none()), TH_E_INVALID);
}
