/* A child is there at once, and is what it was asked to be, or was never there. */
#include "puppet.h"

#include <thespis/config.h>

#include <string.h>

enum { GONE = 1, WORK, INIT };

static th_err note_gone(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    const struct th_child_exited *gone = th_child_exited_of(msg);

    (void)self, (void)puppet;
    if (gone)
        note(GONE, gone->reason, gone->child);
    if (work_of(msg))
        note(WORK, work_of(msg)->number, th_msg_sender(msg));
    return TH_OK;
}

static th_err note_init(th_self *self, struct puppet *puppet)
{
    note(INIT, puppet->part.number, th_self_addr(self));
    return TH_OK;
}

/* ---- at once ---- */

BOTH_BASES(spawn, gives_an_address_that_is_good_at_once, .init = journal_clear)
{
    for (unsigned i = 0; i < 100; i++) {
        th_addr actor =
            puppet_new(ts, (struct part){ .number = i, .init = note_init, .receive = note_gone });

        send_works(ts->me, actor, 50, 3); /* before it can have run init, or while */
        tell(ts, actor, order_nothing, 0);
        cr_assert_eq(atomic_load(&journal_length), 4);
        cr_assert_eq(journal[0].what, INIT, "init is first");
        cr_assert_eq(journal[0].number, i);
        cr_assert(th_addr_equal(journal[0].addr, actor));
        for (unsigned j = 0; j < 3; j++)
            cr_assert_eq(journal[1 + j].number, 50 + j);
        journal_clear();
    }
    works_gone();
}

/* ---- state ---- */

static th_err check_zero(th_self *self, void *state, const th_msg *arg)
{
    const unsigned char *bytes = state;
    size_t size = th_self_class(self)->state_size;

    (void)arg;
    cr_assert_eq(th_self_state(self), size ? state : NULL);
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(bytes[i], 0, "byte %d of %d", (int)i, (int)size);
    if (size) /* for the next tenant to find */
        memset(state, 0xa5, size);
    return TH_OK;
}

#define SIZED(bytes)                                                                               \
    {                                                                                              \
        .name = "sized", .state_size = (bytes), .init = check_zero                                 \
    }
static const th_class sizes[] = { SIZED(0),    SIZED(1),    SIZED(64),    SIZED(65),
                                  SIZED(1000), SIZED(4096), SIZED(100000) };

BOTH_BASES(spawn, zeroes_the_state_of_any_size, .init = journal_clear)
{
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            th_addr actor;

            cr_assert_eq(th_spawn(ts->me, &sizes[i], NULL, &actor), TH_OK);
            cr_assert_eq(th_stop(ts->me, actor), TH_OK);
            wait_gone(ts, actor);
        }
}

/* ---- who ---- */

static uint64_t spawn_one(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)order;
    puppet->peer = puppet_spawn(self, &puppet_class, (struct part){ .receive = note_gone });
    *(th_addr *)order->pointer = puppet->peer;
    return 0;
}

static uint64_t put_parent(th_self *self, struct puppet *puppet, const struct order *order)
{
    (void)puppet;
    *(th_addr *)order->pointer = th_self_parent(self);
    return 0;
}

BOTH_BASES(spawn, makes_a_child_of_who_spawned, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, (struct part){ .receive = note_gone }), child, answer;
    th_actor_status status;

    tell_order(ts, parent, (struct order){ .run = spawn_one, .pointer = &child });
    tell_order(ts, child, (struct order){ .run = put_parent, .pointer = &answer });
    cr_assert(th_addr_equal(answer, parent));
    tell_order(ts, parent, (struct order){ .run = put_parent, .pointer = &answer });
    cr_assert_eq(answer.slot, 0, "of an endpoint's: the system's own actor");
    cr_assert_eq(th_actor_status_read(ts->sys, parent, &status), TH_OK);
    cr_assert_eq(status.children, 1);
    cr_assert_eq(th_actor_status_read(ts->sys, child, &status), TH_OK);
    cr_assert(th_addr_equal(status.parent, parent));
}

/* ---- a failed init ---- */

static th_err fail_init(th_self *self, struct puppet *puppet)
{
    (void)puppet;
    return th_fail(self, TH_E_PARSE, "bad %s", "luck");
}

static _Atomic int exits;

static void count_exit(th_self *self, struct puppet *puppet)
{
    (void)self, (void)puppet;
    atomic_fetch_add(&exits, 1);
}

BOTH_BASES(spawn, waits_for_init_and_says_why_it_failed, .init = journal_clear)
{
    char why[TH_DETAILS_SIZE];
    struct part *part;
    th_msg *arg = part_new(ts->me, &part);
    th_spawn_options options = { .klass = &puppet_class, .arg = arg };
    th_addr actor;

    atomic_store(&exits, 0);
    *part = (struct part){ .init = fail_init, .exit = count_exit };
    cr_assert_eq(th_create(ts->me, &options, TEST_PATIENCE, &actor, why), TH_E_INIT);
    cr_assert_str_eq(why, "bad luck");
    wait_gone(ts, actor);
    cr_assert_eq(atomic_load(&exits), 1, "the exit function runs also then");
    options.arg = NULL;
    cr_assert_eq(th_create(ts->me, &options, TEST_PATIENCE, &actor, why), TH_OK);
    cr_assert_eq(tell(ts, actor, order_nothing, 0), 0);
}

static th_err exit_in_init(th_self *self, struct puppet *puppet)
{
    (void)puppet;
    return th_exit(self);
}

BOTH_BASES(spawn, of_one_that_exits_in_init_succeeds, .init = journal_clear)
{
    struct part *part;
    th_msg *arg = part_new(ts->me, &part);
    th_spawn_options options = { .klass = &puppet_class, .arg = arg };
    th_addr actor;

    atomic_store(&exits, 0);
    *part = (struct part){ .init = exit_in_init, .exit = count_exit };
    cr_assert_eq(th_create(ts->me, &options, TEST_PATIENCE, &actor, NULL), TH_OK);
    wait_gone(ts, actor);
    cr_assert_eq(atomic_load(&exits), 1);
}

/* ---- refused ---- */

BOTH_BASES(spawn, that_makes_no_sense_is_refused_and_frees_its_argument, .init = journal_clear)
{
    th_spawn_options options = { .arg = NULL };
    th_addr actor;

    cr_assert_eq(th_spawn(ts->me, &puppet_class, work_make(ts->me, 1), NULL), TH_E_INVALID);
    cr_assert_eq(th_spawn(ts->me, NULL, work_make(ts->me, 1), &actor), TH_E_INVALID);
    cr_assert_eq(th_spawn(NULL, &puppet_class, NULL, &actor), TH_E_INVALID);
    cr_assert_eq(th_spawn_with(ts->me, NULL, &actor), TH_E_INVALID);
    options.class_name = "nobody";
    options.arg = work_make(ts->me, 1);
    cr_assert_eq(th_spawn_with(ts->me, &options, &actor), TH_E_NO_CLASS);
    works_gone();
    cr_assert_eq(th_spawn(ts->me, &puppet_class, work_make(ts->me, 1), &actor), TH_OK);
    tell(ts, actor, order_nothing, 0);
    cr_assert_eq(atomic_load(&works_alive), 0, "after init it is of no more use");
}

static uint64_t spawn_in_blocking(th_self *self, struct puppet *puppet, const struct order *order)
{
    th_addr child;
    th_err err;

    (void)puppet, (void)order;
    cr_assert_eq(th_blocking_begin(self), TH_OK);
    err = th_spawn(self, &puppet_class, NULL, &child);
    cr_assert_eq(th_blocking_end(self), TH_OK);
    return err;
}

Test(spawn, inside_a_blocking_call_is_refused, .init = journal_clear)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr actor = puppet_new(&ts, (struct part){ .number = 0 });

    cr_assert_eq(tell(&ts, actor, spawn_in_blocking, 0), TH_E_STATE);
    test_system_close(&ts);
}

static th_err spawn_while_exiting(th_self *self, struct puppet *puppet, const th_msg *msg)
{
    th_addr child;

    (void)puppet;
    if (th_child_exited_of(msg)) /* we are exiting: the child was asked */
        note(GONE, th_spawn(self, &puppet_class, NULL, &child), th_addr_none());
    return TH_OK;
}

BOTH_BASES(spawn, of_one_who_is_exiting_is_refused, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, (struct part){ .receive = spawn_while_exiting }), child;

    tell_order(ts, parent, (struct order){ .run = spawn_one, .pointer = &child });
    cr_assert_eq(th_stop(ts->me, parent), TH_OK);
    wait_gone(ts, parent);
    cr_assert_eq(atomic_load(&journal_length), 1);
    cr_assert_eq(journal[0].number, TH_E_CLOSED);
}

BOTH_BASES(spawn, after_the_shutdown_is_refused, .init = journal_clear)
{
    th_addr actor;

    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(th_spawn(ts->me, &puppet_class, work_make(ts->me, 1), &actor), TH_E_CLOSED);
    works_gone();
}

/* ---- without memory ---- */

static uint64_t spawn_without_memory(th_self *self, struct puppet *puppet,
                                     const struct order *order)
{
    uint64_t spawned = 0;

    (void)puppet;
    for (uint64_t nth = 1; nth < 200; nth++) {
        const th_class *klass = nth % 3 ? &puppet_class : &sizes[6];
        th_msg *arg = nth % 2 ? work_make(self, nth) : NULL;
        th_addr child;
        th_err err;

        cr_assert_eq(th_inject_nomem(th_self_system(self), 1 + nth % 7, nth % 5 == 0), TH_OK);
        err = th_spawn(self, klass, arg, &child);
        cr_assert_eq(th_inject_nomem(th_self_system(self), 0, false), TH_OK);
        cr_assert(err == TH_OK || err == TH_E_NOMEM, "%s", th_strerror(err));
        spawned += err == TH_OK;
    }
    *(uint64_t *)order->pointer = spawned;
    return 0;
}

BOTH_BASES(spawn, without_memory_is_refused_and_leaves_nothing, .init = journal_clear)
{
    th_addr parent = puppet_new(ts, (struct part){ .receive = note_gone });
    uint64_t before, spawned;
    th_actor_status status;

    tell(ts, parent, order_nothing, 0);
    before = test_system_counts(ts).spawned;
    tell_order(ts, parent, (struct order){ .run = spawn_without_memory, .pointer = &spawned });
    cr_assert_lt(spawned, 199);
    cr_assert_eq(test_system_counts(ts).spawned, before + spawned);
    cr_assert_eq(th_actor_status_read(ts->sys, parent, &status), TH_OK);
    cr_assert_eq(status.children, spawned);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    works_gone();
}

/* An outsider's spawn tells the admin, so it can fail once more. */
BOTH_BASES(spawn, from_outside_without_memory_leaves_nothing, .init = journal_clear)
{
    uint64_t before = test_system_counts(ts).spawned, spawned = 0;

    for (uint64_t nth = 1; nth < 60; nth++) {
        th_msg *arg = work_make(ts->me, nth);
        th_spawn_options options = { .klass = &puppet_class,
                                     .arg = arg,
                                     .own_thread = nth % 4 == 0 };
        th_addr actor;
        th_err err;

        cr_assert_eq(th_inject_nomem(ts->sys, 1 + nth % 6, false), TH_OK);
        err = th_spawn_with(ts->me, &options, &actor);
        cr_assert_eq(th_inject_nomem(ts->sys, 0, false), TH_OK);
        cr_assert(err == TH_OK || err == TH_E_NOMEM, "%s", th_strerror(err));
        spawned += err == TH_OK;
    }
    cr_assert_lt(spawned, 59);
    cr_assert_eq(test_system_counts(ts).spawned, before + spawned);
    cr_assert_eq(th_system_shutdown(ts->sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    works_gone();
}
