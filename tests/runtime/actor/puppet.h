/* puppet.h: actors that do what a test tells them, and a journal of what they saw.
 *
 *     static uint64_t spawn_two(th_self *self, struct puppet *puppet, const struct order *order);
 *     ...
 *     th_addr parent = puppet_new(ts, (struct part){ .receive = note_exits });
 *     tell(ts, parent, spawn_two, 0);
 *     journal_wait(ts, 2);
 *
 * An order is a function that runs as the actor; its answer comes back. Everything else a puppet
 * gets goes to its part's functions, which are in what it was spawned with. */
#ifndef TESTS_ACTOR_PUPPET_H
#define TESTS_ACTOR_PUPPET_H

#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/support/system.h"
#include "runtime/actor/stage.h"
#include <thespis/testkit.h>

struct puppet;

/* A part is played: what init, receive and exit do besides, any NULL. */
struct part {
    uint64_t number;
    th_err (*init)(th_self *self, struct puppet *puppet);
    th_err (*receive)(th_self *self, struct puppet *puppet, const th_msg *msg);
    void (*exit)(th_self *self, struct puppet *puppet);
};
TH_MESSAGE_LOCAL(part);
TH_MESSAGE_LOCAL_TYPE(part, NULL)

struct puppet {
    struct part part;
    uint64_t seen; /* for parts to count in */
    th_addr peer;  /* for parts to remember */
};

struct order;
typedef uint64_t (*order_run)(th_self *self, struct puppet *puppet, const struct order *order);
struct order {
    order_run run;
    uint64_t number;
    th_addr addr;
    void *pointer;
};
TH_MESSAGE_LOCAL(order);
TH_MESSAGE_LOCAL_TYPE(order, NULL)

struct answer {
    uint64_t number;
};
TH_MESSAGE_LOCAL(answer);
TH_MESSAGE_LOCAL_TYPE(answer, NULL)

/* A message that can be counted while it is alive. */
struct work {
    uint64_t number;
};
static _Atomic int works_alive;
static void work_free(void *unused)
{
    (void)unused;
    atomic_fetch_sub(&works_alive, 1);
}

/* Until the last of them is freed: the admin, or whoever sent, may still hold one for a moment. Of
 * a leak the test's own time limit tells. */
TH_UNUSED static void works_gone(void)
{
    while (atomic_load(&works_alive))
        sched_yield();
}
TH_MESSAGE_LOCAL(work);
TH_MESSAGE_LOCAL_TYPE(work, work_free)

TH_UNUSED static th_msg *work_make(th_self *self, uint64_t number)
{
    struct work *work;
    th_msg *msg = work_new(self, &work);

    if (msg) {
        work->number = number;
        atomic_fetch_add(&works_alive, 1);
    }
    return msg;
}

/* ---- the journal ---- */

struct entry {
    uint64_t what, number;
    th_addr addr;
};

enum { JOURNAL_MAX = 1 << 16 };
static struct entry journal[JOURNAL_MAX];
static _Atomic unsigned journal_begun, journal_length;

TH_UNUSED static void note(uint64_t what, uint64_t number, th_addr addr)
{
    unsigned at = atomic_fetch_add(&journal_begun, 1);

    cr_assert_lt(at, JOURNAL_MAX);
    journal[at] = (struct entry){ what, number, addr };
    atomic_fetch_add(&journal_length, 1);
}

/* Lets the system run until the journal has @length entries. */
TH_UNUSED static void journal_wait(struct test_system *ts, unsigned length)
{
    if (test_is_simple(ts))
        cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    else
        while (atomic_load(&journal_length) < length)
            sched_yield();
    cr_assert_geq(atomic_load(&journal_length), length);
}

TH_UNUSED static void journal_clear(void)
{
    atomic_store(&journal_begun, 0);
    atomic_store(&journal_length, 0);
}

/* ---- the puppets ---- */

TH_UNUSED static th_err puppet_init(th_self *self, void *state, const th_msg *arg)
{
    struct puppet *puppet = state;

    if (arg && part_of(arg))
        puppet->part = *part_of(arg);
    return puppet->part.init ? puppet->part.init(self, puppet) : TH_OK;
}

TH_UNUSED static th_err puppet_receive(th_self *self, void *state, const th_msg *msg)
{
    struct puppet *puppet = state;
    const struct order *order = order_of(msg);

    if (order)
        return answer_send(self, th_msg_sender(msg),
                           (struct answer){ order->run(self, puppet, order) });
    return puppet->part.receive ? puppet->part.receive(self, puppet, msg) : TH_OK;
}

TH_UNUSED static void puppet_exit(th_self *self, void *state)
{
    struct puppet *puppet = state;

    if (puppet->part.exit)
        puppet->part.exit(self, puppet);
}

#define PUPPET(text, ...)                                                                          \
    {                                                                                              \
        .name = (text), .state_size = sizeof(struct puppet), .init = puppet_init,                  \
        .receive = puppet_receive, .exit = puppet_exit, __VA_ARGS__                                \
    }

static const th_class puppet_class = PUPPET("puppet", .on_failure = TH_ON_FAILURE_KEEP);

/* A child of whoever @self is. */
TH_UNUSED static th_addr puppet_spawn(th_self *self, const th_class *klass, struct part part)
{
    struct part *copy;
    th_msg *arg = part_new(self, &copy);
    th_addr actor;

    cr_assert_not_null(arg);
    *copy = part;
    cr_assert_eq(th_spawn(self, klass, arg, &actor), TH_OK);
    return actor;
}

TH_UNUSED static th_addr puppet_new(struct test_system *ts, struct part part)
{
    return puppet_spawn(ts->me, &puppet_class, part);
}

/* Has @actor run @order as itself; what it answered. */
TH_UNUSED static uint64_t tell_order(struct test_system *ts, th_addr actor, struct order order)
{
    struct order *body;
    th_msg *msg = order_new(ts->me, &body), *answer;
    uint64_t said;

    cr_assert_not_null(msg);
    *body = order;
    cr_assert_eq(th_ask(ts->me, actor, msg, TEST_PATIENCE, &answer), TH_OK);
    cr_assert_not_null(answer_of(answer));
    said = answer_of(answer)->number;
    th_msg_destroy(ts->me, answer);
    return said;
}

TH_UNUSED static uint64_t tell(struct test_system *ts, th_addr actor, order_run run,
                               uint64_t number)
{
    return tell_order(ts, actor, (struct order){ .run = run, .number = number });
}

/* Works number @first, @first + 1, ... to @actor. */
TH_UNUSED static void send_works(th_self *self, th_addr actor, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        cr_assert_eq(th_send(self, actor, work_make(self, first + i)), TH_OK);
}

/* Until @actor's parent has heard of its end, and its address is nobody's: then all that it left is
 * counted, too. (A status would say so while its mail is still being closed.) */
TH_UNUSED static void wait_gone(struct test_system *ts, th_addr actor)
{
    struct thi_stage *stage = thi_stage_of(ts->me);
    th_actor_status status;
    bool is_there = true;

    if (test_is_simple(ts))
        cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    while (is_there) {
        sched_yield();
        thi_stage_enter(stage);
        is_there = thi_directory_find(&stage->directory, actor) != NULL;
        thi_stage_leave(stage);
    }
    /* who is told that an actor is gone sees what it did; the look-up alone orders nothing */
    cr_assert_eq(th_actor_status_read(ts->sys, actor, &status), TH_E_NO_ACTOR);
}

TH_UNUSED static uint64_t order_nothing(th_self *self, struct puppet *puppet,
                                        const struct order *order)
{
    (void)self, (void)order;
    return puppet->seen;
}

#endif
