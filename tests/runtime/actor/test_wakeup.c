/* Wakeups from inside an actor and from an endpoint, where they meet cancels, exits and limits.
 *
 * Past 500 lines: the actor that is told what to do is most of each story. */
#include "tests/support/system.h"
#include <thespis/testkit.h>

#include <sched.h>
#include <stdatomic.h>

#if defined(__SANITIZE_THREAD__)
#define LONG(n) ((n) / 20) /* one thread: nothing more to be seen */
#else
#define LONG(n) (n)
#endif

/* An actor that does what it is told, as itself, and counts what wakes it. */
struct sleeper {
    uint64_t arrived; /* wakeups */
    uint64_t last_count;
    uint64_t id;  /* of the last one set */
    uint64_t sum; /* of the numbers in payloads */
};

typedef uint64_t (*order_run)(th_self *self, struct sleeper *sleeper, uint64_t number);

struct order {
    order_run run;
    uint64_t number;
};
TH_MESSAGE_LOCAL(order);
TH_MESSAGE_LOCAL_TYPE(order, NULL)

#define ANSWER_FIELDS(F, S) F(S, u64, number)
TH_MESSAGE(answer, ANSWER_FIELDS);
TH_MESSAGE_TYPE(answer, ANSWER_FIELDS)

/* A payload that can be counted. */
struct luggage {
    uint64_t number;
};
static _Atomic int luggage_alive;
static void luggage_free(void *unused)
{
    (void)unused;
    atomic_fetch_sub(&luggage_alive, 1);
}
TH_MESSAGE_LOCAL(luggage);
TH_MESSAGE_LOCAL_TYPE(luggage, luggage_free)

static th_msg *pack(th_self *self, uint64_t number)
{
    struct luggage *luggage;
    th_msg *msg = luggage_new(self, &luggage);

    if (msg) {
        luggage->number = number;
        atomic_fetch_add(&luggage_alive, 1);
    }
    return msg;
}

static th_err sleeper_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sleeper *sleeper = state;
    const struct th_wakeup *wakeup = th_wakeup_of(msg);
    const struct order *order = order_of(msg);

    if (order)
        return answer_send(self, th_msg_sender(msg),
                           (struct answer){ order->run(self, sleeper, order->number) });
    if (!wakeup)
        return TH_OK;
    sleeper->arrived++;
    sleeper->last_count = wakeup->count;
    if (wakeup->payload && luggage_of(wakeup->payload))
        sleeper->sum += luggage_of(wakeup->payload)->number;
    return TH_OK;
}

static const th_class sleeper_class = { .name = "sleeper",
                                        .state_size = sizeof(struct sleeper),
                                        .receive = sleeper_receive };

static th_addr spawn(struct test_system *ts)
{
    th_addr addr;

    cr_assert_eq(th_spawn(ts->me, &sleeper_class, NULL, &addr), TH_OK);
    return addr;
}

/* Has @actor run @run, and brings back what it returned. */
static uint64_t tell(struct test_system *ts, th_addr actor, order_run run, uint64_t number)
{
    struct order *order;
    th_msg *msg = order_new(ts->me, &order), *answer;
    uint64_t said;

    cr_assert_not_null(msg);
    order->run = run;
    order->number = number;
    cr_assert_eq(th_ask(ts->me, actor, msg, TEST_PATIENCE, &answer), TH_OK);
    cr_assert_not_null(answer_of(answer));
    said = answer_of(answer)->number;
    th_msg_destroy(ts->me, answer);
    return said;
}

static uint64_t arrived(th_self *self, struct sleeper *sleeper, uint64_t unused)
{
    (void)self, (void)unused;
    return sleeper->arrived;
}

static uint64_t pending(struct test_system *ts)
{
    th_system_status status;

    cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    return status.wakeups_pending;
}

/* Not before @count wakeups were posted. On the pool only: the alarm goes on without us. */
static void wait_fired(th_system *system, uint64_t count)
{
    th_system_status status;

    do {
        sched_yield();
        cr_assert_eq(th_system_status_read(system, &status), TH_OK);
    } while (status.counts.wakeups_fired < count);
}

/* ---- cancel ---- */

static uint64_t cancel_unheard(th_self *self, struct sleeper *sleeper, uint64_t period)
{
    uint64_t id;
    th_err err;

    (void)sleeper;
    err = period ? th_wakeup_every(self, period, pack(self, 1), &id)
                 : th_wakeup_after(self, 0, pack(self, 1), &id);
    cr_assert_eq(err, TH_OK);
    wait_fired(th_self_system(self), period ? 3 : 1); /* in the mailbox, and we are in our turn */
    cr_assert_eq(th_wakeup_cancel(self, id), TH_OK);
    cr_assert_eq(th_wakeup_cancel(self, id), TH_E_NO_TIMER);
    return 0;
}

Test(wakeup, cancelled_in_the_mailbox_does_not_arrive)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr actor = spawn(&ts);

    tell(&ts, actor, cancel_unheard, 0);
    cr_assert_eq(tell(&ts, actor, arrived, 0), 0);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&luggage_alive), 0);
}

Test(wakeup, of_a_period_cancelled_in_the_mailbox_do_not_arrive)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr actor = spawn(&ts);

    tell(&ts, actor, cancel_unheard, TH_US(50));
    cr_assert_eq(tell(&ts, actor, arrived, 0), 0);
    cr_assert_eq(pending(&ts), 0);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&luggage_alive), 0);
}

Test(wakeup, of_an_endpoint_cancelled_in_its_queue_is_not_heard)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    uint64_t id, kept;
    th_msg *msg;

    cr_assert_eq(th_wakeup_after(ts.me, 0, pack(ts.me, 1), &id), TH_OK);
    wait_fired(ts.sys, 1);
    cr_assert_eq(th_wakeup_cancel(ts.me, id), TH_OK);
    cr_assert_eq(th_listen(ts.me, 0, &msg), TH_E_TIMEOUT);

    cr_assert_eq(th_wakeup_after(ts.me, 0, NULL, &id), TH_OK);
    cr_assert_eq(th_wakeup_after(ts.me, 0, NULL, &kept), TH_OK);
    wait_fired(ts.sys, 3);
    cr_assert_eq(th_wakeup_cancel(ts.me, id), TH_OK);
    cr_assert_eq(th_listen(ts.me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_eq(th_wakeup_of(msg)->id, kept, "the void one is passed over");
    th_msg_destroy(ts.me, msg);
    cr_assert_eq(th_wakeup_cancel(ts.me, kept), TH_E_NO_TIMER, "it has arrived");
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&luggage_alive), 0);
}

static uint64_t set_far(th_self *self, struct sleeper *sleeper, uint64_t delay)
{
    cr_assert_eq(th_wakeup_after(self, delay, pack(self, 1), &sleeper->id), TH_OK);
    return sleeper->id;
}

static uint64_t cancel(th_self *self, struct sleeper *sleeper, uint64_t id)
{
    (void)sleeper;
    return th_wakeup_cancel(self, id);
}

BOTH_BASES(wakeup, is_its_owners_to_cancel)
{
    th_addr owner = spawn(ts), other = spawn(ts);
    uint64_t id = tell(ts, owner, set_far, TH_FOREVER);

    cr_assert_eq(tell(ts, other, cancel, id), TH_E_NO_TIMER);
    cr_assert_eq(th_wakeup_cancel(ts->me, id), TH_E_NO_TIMER);
    cr_assert_eq(pending(ts), 1);
    cr_assert_eq(tell(ts, owner, cancel, id), TH_OK);
    cr_assert_eq(pending(ts), 0);
    cr_assert_eq(atomic_load(&luggage_alive), 0);
}

BOTH_BASES(wakeup, that_was_not_named_is_not_cancelled)
{
    enum { MANY = 40 };
    uint64_t ids[MANY];
    th_msg *msg;

    for (int i = 0; i < MANY; i++)
        cr_assert_eq(th_wakeup_after(ts->me, TH_US(i), NULL, &ids[i]), TH_OK);
    for (int bit = 6; bit < 64; bit++) /* numbers that share a bucket with one of them */
        cr_assert_eq(th_wakeup_cancel(ts->me, ids[1] ^ 1ull << bit), TH_E_NO_TIMER);
    for (int i = 0; i < MANY; i += 3) /* fired or not: nobody has listened yet */
        cr_assert_eq(th_wakeup_cancel(ts->me, ids[i]), TH_OK);
    for (int i = 0; i < MANY; i++) {
        if (i % 3 == 0)
            continue;
        cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
        cr_assert_eq(th_wakeup_of(msg)->id, ids[i]);
        th_msg_destroy(ts->me, msg);
    }
    cr_assert_eq(th_listen(ts->me, 0, &msg), TH_E_TIMEOUT);
}

/* ---- time ---- */

static uint64_t set_every(th_self *self, struct sleeper *sleeper, uint64_t period)
{
    cr_assert_eq(th_wakeup_every(self, period, pack(self, 7), &sleeper->id), TH_OK);
    return sleeper->id;
}

static uint64_t last_count(th_self *self, struct sleeper *sleeper, uint64_t unused)
{
    (void)self, (void)unused;
    return sleeper->last_count;
}

static uint64_t sum(th_self *self, struct sleeper *sleeper, uint64_t unused)
{
    (void)self, (void)unused;
    return sleeper->sum;
}

Test(wakeup, of_a_period_comes_once_a_period)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = spawn(&ts);
    uint64_t id = tell(&ts, actor, set_every, TH_MS(3));

    for (uint64_t i = 1; i <= 5; i++) {
        cr_assert_eq(th_advance(ts.sys, TH_MS(3) - 1), TH_OK);
        cr_assert_eq(tell(&ts, actor, arrived, 0), i - 1);
        cr_assert_eq(th_advance(ts.sys, 1), TH_OK);
        cr_assert_eq(tell(&ts, actor, arrived, 0), i);
        cr_assert_eq(tell(&ts, actor, last_count, 0), i);
    }
    cr_assert_eq(th_advance(ts.sys, TH_MS(30)), TH_OK);
    cr_assert_eq(tell(&ts, actor, arrived, 0), 15);
    cr_assert_eq(tell(&ts, actor, sum, 0), 15 * 7, "each brings the payload");
    cr_assert_eq(tell(&ts, actor, cancel, id), TH_OK);
    cr_assert_eq(th_advance(ts.sys, TH_S(1)), TH_OK);
    cr_assert_eq(tell(&ts, actor, arrived, 0), 15);
    cr_assert_eq(atomic_load(&luggage_alive), 0);
    test_system_close(&ts);
}

Test(wakeup, of_the_longest_period_does_not_come_round_again)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr actor = spawn(&ts);

    tell(&ts, actor, set_every, INT64_MAX);
    cr_assert_eq(th_advance(ts.sys, INT64_MAX), TH_OK);
    cr_assert_eq(tell(&ts, actor, arrived, 0), 1);
    cr_assert_eq(th_advance(ts.sys, INT64_MAX), TH_OK);
    cr_assert_eq(tell(&ts, actor, arrived, 0), 2);
    cr_assert_eq(pending(&ts), 1, "at the end of time, which is never");
    cr_assert_eq(th_advance(ts.sys, INT64_MAX), TH_OK);
    cr_assert_eq(tell(&ts, actor, arrived, 0), 2);
    test_system_close(&ts);
}

BOTH_BASES(wakeup, for_ever_never_comes)
{
    uint64_t id, far, soon;
    th_msg *msg;

    cr_assert_eq(th_wakeup_after(ts->me, TH_FOREVER, NULL, &id), TH_OK);
    cr_assert_eq(th_wakeup_after(ts->me, 1ull << 63, NULL, &far), TH_OK);
    cr_assert_eq(th_wakeup_after(ts->me, 0, NULL, &soon), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_eq(th_wakeup_of(msg)->id, soon);
    th_msg_destroy(ts->me, msg);
    cr_assert_eq(th_wakeup_cancel(ts->me, id), TH_OK);
    cr_assert_eq(th_wakeup_cancel(ts->me, far), TH_OK);
}

BOTH_BASES(wakeup, is_never_early)
{
    enum { MANY = 200 };
    uint64_t due[MANY], first = 0, last = 0;
    th_msg *msg;

    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t id, delay = (i * 7919) % MANY * TH_US(20);

        due[i] = th_now(ts->me) + delay; /* at the latest: asked for a little later */
        cr_assert_eq(th_wakeup_after(ts->me, delay, NULL, &id), TH_OK);
        first = i == 0 ? id : first;
        cr_assert_eq(id, first + i);
    }
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
        cr_assert_geq(th_now(ts->me), due[th_wakeup_of(msg)->id - first]);
        if (test_is_simple(ts)) {
            cr_assert_geq(due[th_wakeup_of(msg)->id - first], last, "in order");
            last = due[th_wakeup_of(msg)->id - first];
        }
        th_msg_destroy(ts->me, msg);
    }
}

/* ---- limits ---- */

BOTH_BASES(wakeup, that_makes_no_sense_is_refused)
{
    uint64_t id = 77;
    th_msg *msg;

    cr_assert_eq(th_wakeup_after(NULL, 1, NULL, NULL), TH_E_INVALID);
    cr_assert_eq(th_wakeup_every(ts->me, 0, pack(ts->me, 1), &id), TH_E_INVALID);
    cr_assert_eq(th_wakeup_every(ts->me, 999, pack(ts->me, 1), &id), TH_E_INVALID);
    cr_assert_eq(th_wakeup_every(ts->me, TH_FOREVER, pack(ts->me, 1), &id), TH_E_INVALID);
    cr_assert_eq(th_wakeup_cancel(NULL, 1), TH_E_INVALID);
    cr_assert_eq(th_wakeup_cancel(ts->me, 0), TH_E_NO_TIMER);
    cr_assert_eq(id, 77);

    cr_assert_eq(th_wakeup_after(ts->me, 0, NULL, NULL), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_eq(th_wakeup_after(ts->me, 0, msg, &id), TH_E_INVALID, "a wakeup in a wakeup");
    cr_assert_eq(atomic_load(&luggage_alive), 0, "refused, and released");
}

Test(wakeup, past_the_limit_is_refused)
{
    th_options options = { .base = TH_BASE_SIMPLE, .timers_max = 3 };
    struct test_system ts = test_system_open_with(&options);
    uint64_t id;

    for (int i = 0; i < 3; i++)
        cr_assert_eq(th_wakeup_after(ts.me, TH_S(1), pack(ts.me, 1), &id), TH_OK);
    cr_assert_eq(th_wakeup_after(ts.me, 0, pack(ts.me, 1), NULL), TH_E_LIMIT);
    cr_assert_eq(atomic_load(&luggage_alive), 3);
    cr_assert_eq(th_wakeup_cancel(ts.me, id), TH_OK);
    cr_assert_eq(th_wakeup_after(ts.me, 0, pack(ts.me, 1), NULL), TH_OK);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&luggage_alive), 0);
}

/* Every allocation fails once; whatever was refused leaves nothing, whatever was not arrives. */
BOTH_BASES(wakeup, without_memory_is_refused_and_nothing_is_lost)
{
    uint64_t set = 0, refused = 0;

    for (uint64_t nth = 1; nth < 40; nth++) {
        th_msg *payload = pack(ts->me, nth);
        th_err err;

        cr_assert_not_null(payload);
        cr_assert_eq(th_inject_nomem(ts->sys, 1 + nth % 4, false), TH_OK);
        err = th_wakeup_after(ts->me, TH_US(1), payload, NULL);
        cr_assert_eq(th_inject_nomem(ts->sys, 0, false), TH_OK);
        cr_assert(err == TH_OK || err == TH_E_NOMEM);
        set += err == TH_OK;
        refused += err == TH_E_NOMEM;
    }
    cr_assert_gt(refused, 0);
    cr_assert_eq(atomic_load(&luggage_alive), (int)set);
    for (; set > 0; set--) {
        th_msg *msg;

        cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
        th_msg_destroy(ts->me, msg);
    }
    cr_assert_eq(atomic_load(&luggage_alive), 0);
    cr_assert_eq(pending(ts), 0);
}

static uint64_t set_many(th_self *self, struct sleeper *sleeper, uint64_t count)
{
    (void)sleeper;
    for (uint64_t i = 0; i < count; i++)
        cr_assert_eq(th_wakeup_after(self, TH_S(3600) + i * 7919 % count, NULL, NULL), TH_OK);
    return 0;
}

BOTH_BASES(wakeup, may_be_pending_a_million_times, .timeout = 60)
{
    enum { MANY = LONG(1000000) };
    th_addr actor = spawn(ts);
    th_actor_status status;
    uint64_t soon;
    th_msg *msg;

    tell(ts, actor, set_many, MANY);
    cr_assert_eq(pending(ts), MANY);
    cr_assert_eq(th_actor_status_read(ts->sys, actor, &status), TH_OK);
    cr_assert_eq(status.wakeups, MANY);
    cr_assert_eq(th_wakeup_after(ts->me, TH_US(1), NULL, &soon), TH_OK);
    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK, "they are in nobody's way");
    cr_assert_eq(th_wakeup_of(msg)->id, soon);
    th_msg_destroy(ts->me, msg);
} /* and the shutdown takes them all back */

/* ---- the end of their owner ---- */

static th_err die_with(th_self *self, void *state, const th_msg *msg)
{
    (void)state;
    if (th_wakeup_of(msg))
        return TH_OK;
    for (int i = 0; i < 100; i++) {
        cr_assert_eq(th_wakeup_after(self, i % 3 ? TH_S(3600) : 0, pack(self, 1), NULL), TH_OK);
        cr_assert_eq(th_wakeup_every(self, i % 3 ? TH_US(1) : TH_S(60), pack(self, 1), NULL),
                     TH_OK);
    }
    return th_exit(self);
}

static const th_class mortal_class = { .name = "mortal", .receive = die_with };

BOTH_BASES(wakeup, ends_with_its_actor, .timeout = 60)
{
    for (int i = 0; i < 20; i++) {
        th_actor_status status;
        th_addr actor;

        cr_assert_eq(th_spawn(ts->me, &mortal_class, NULL, &actor), TH_OK);
        cr_assert_eq(th_send(ts->me, actor, answer_new(ts->me, NULL)), TH_OK);
        if (test_is_simple(ts))
            cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
        while (th_actor_status_read(ts->sys, actor, &status) == TH_OK)
            sched_yield();
    }
    cr_assert_eq(pending(ts), 0);
    while (atomic_load(&luggage_alive) > 0) /* one that was firing is released by the alarm */
        sched_yield();
}

Test(wakeup, waiting_at_a_shutdown_may_be_closed_after_it)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_self *mine;
    uint64_t id;

    cr_assert_eq(th_endpoint_open(ts.sys, &mine), TH_OK);
    cr_assert_eq(th_wakeup_after(mine, 0, pack(mine, 1), &id), TH_OK);
    cr_assert_eq(th_wakeup_every(mine, TH_US(100), pack(mine, 1), NULL), TH_OK);
    cr_assert_eq(th_wakeup_after(ts.me, 0, pack(ts.me, 1), NULL), TH_OK);
    wait_fired(ts.sys, 4);
    cr_assert_eq(th_system_shutdown(ts.sys, TEST_PATIENCE, NULL, NULL), TH_OK);
    cr_assert_eq(th_wakeup_cancel(mine, id), TH_E_CLOSED);
    cr_assert_eq(th_endpoint_close(mine), TH_OK);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&luggage_alive), 0);
}

/* ---- cancel against the alarm ---- */

enum { RACES = 300, RACERS = 4 };

static uint64_t race(th_self *self, struct sleeper *sleeper, uint64_t number)
{
    uint64_t void_ones = 0;

    (void)sleeper;
    for (uint64_t i = 0; i < RACES; i++) {
        uint64_t id, until = th_now(self) + (i * 7919 + number) % 30000;
        th_err err = i % 4 ? th_wakeup_after(self, 15000, pack(self, 1), &id)
                           : th_wakeup_every(self, 5000, pack(self, 1), &id);

        cr_assert_eq(err, TH_OK);
        while (th_now(self) < until)
            ;
        cr_assert_eq(th_wakeup_cancel(self, id), TH_OK, "we have not seen it arrive");
        void_ones++;
    }
    return void_ones;
}

Test(wakeup, is_cancelled_or_arrives_and_never_both, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr actors[RACERS];
    struct order *order;
    th_counts counts;

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < RACERS; i++) {
            th_msg *msg = order_new(ts.me, &order);

            if (round == 0)
                actors[i] = spawn(&ts);
            order->run = race;
            order->number = (uint64_t)(i * 1000 + round);
            cr_assert_eq(th_send(ts.me, actors[i], msg), TH_OK);
        }
        for (int i = 0; i < RACERS; i++) {
            th_msg *msg;

            cr_assert_eq(th_listen(ts.me, TEST_PATIENCE, &msg), TH_OK);
            cr_assert_eq(answer_of(msg)->number, RACES);
            th_msg_destroy(ts.me, msg);
        }
    }
    for (int i = 0; i < RACERS; i++)
        cr_assert_eq(tell(&ts, actors[i], arrived, 0), 0);
    cr_assert_eq(pending(&ts), 0);
    counts = test_system_counts(&ts);
    cr_assert_eq(counts.wakeups_set, 5 * RACES * RACERS);
    test_system_close(&ts);
    cr_assert_eq(atomic_load(&luggage_alive), 0);
}
