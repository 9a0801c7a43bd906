/* Driving the simple base by hand. */
#include "../../support/system.h"

#include <string.h>
#include <thespis/config.h>
#include <thespis/testkit.h>

#define NUMBER_FIELDS(F, S) F(S, u32, value)
TH_MESSAGE(number, NUMBER_FIELDS);
TH_MESSAGE_TYPE(number, NUMBER_FIELDS)

/* Adds up; passes a ball of value n on to itself n times. */
struct sum {
    uint32_t total, handled;
};

static th_err sum_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sum *sum = state;
    const struct number *number = number_of(msg);

    if (th_wakeup_of(msg))
        return number_send(self, th_self_addr(self), (struct number){ 0 });
    if (!number)
        return TH_OK;
    sum->total += number->value;
    sum->handled++;
    if (number->value)
        return number_send(self, th_self_addr(self), (struct number){ number->value - 1 });
    return TH_OK;
}

static const th_class sum_class = { .name = "sum",
                                    .state_size = sizeof(struct sum),
                                    .receive = sum_receive };

static th_addr spawn_sum(struct test_system *ts)
{
    th_addr addr;

    cr_assert_eq(th_spawn(ts->me, &sum_class, NULL, &addr), TH_OK);
    cr_assert_eq(th_run_until_idle(ts->sys, 0, NULL), TH_OK);
    return addr;
}

static void send_number(struct test_system *ts, th_addr to, uint32_t value)
{
    cr_assert_eq(number_send(ts->me, to, (struct number){ value }), TH_OK);
}

Test(testkit, nothing_runs_by_itself)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr addr = spawn_sum(&ts);
    size_t depth;
    bool ran;

    cr_assert_eq(th_step(ts.sys, &ran), TH_OK);
    cr_assert_not(ran);
    send_number(&ts, addr, 0);
    cr_assert_eq(th_mailbox_depth(ts.sys, addr, &depth), TH_OK);
    cr_assert_eq(depth, 1);
    cr_assert_eq(th_step(ts.sys, &ran), TH_OK);
    cr_assert(ran);
    cr_assert_eq(th_mailbox_depth(ts.sys, addr, &depth), TH_OK);
    cr_assert_eq(depth, 0);
    cr_assert_eq(th_step(ts.sys, NULL), TH_OK);
    test_system_close(&ts);
}

Test(testkit, steps_are_counted_and_bounded)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr addr = spawn_sum(&ts);
    uint64_t steps;

    send_number(&ts, addr, 9); /* nine more after it, a turn each */
    cr_assert_eq(th_run_until_idle(ts.sys, 4, &steps), TH_E_LIMIT);
    cr_assert_eq(steps, 4);
    cr_assert_eq(th_run_until_idle(ts.sys, 6, &steps), TH_OK, "just enough");
    cr_assert_eq(steps, 6);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, &steps), TH_OK);
    cr_assert_eq(steps, 0);
    test_system_close(&ts);
}

Test(testkit, time_is_the_tests)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    uint64_t now = 1, id;
    th_msg *msg;

    cr_assert_eq(th_virtual_now(ts.sys, &now), TH_OK);
    cr_assert_eq(now, 0);
    cr_assert_eq(th_wakeup_after(ts.me, TH_S(3600), NULL, &id), TH_OK);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(th_advance(ts.sys, TH_S(3600) - 1), TH_OK);
    cr_assert_eq(th_listen(ts.me, 0, &msg), TH_E_TIMEOUT);
    cr_assert_eq(th_advance(ts.sys, 1), TH_OK);
    cr_assert_eq(th_listen(ts.me, 0, &msg), TH_OK);
    th_msg_destroy(ts.me, msg);
    cr_assert_eq(th_virtual_now(ts.sys, &now), TH_OK);
    cr_assert_eq(now, TH_S(3600));
    cr_assert_eq(now, th_now(ts.me));
    cr_assert_eq(th_advance(ts.sys, UINT64_MAX), TH_OK, "the end of time is no overflow");
    test_system_close(&ts);
}

/* Notes the moment of each wakeup, and asks for the next while there is one. */
static th_err clockwork_receive(th_self *self, void *state, const th_msg *msg)
{
    uint64_t *last = state;

    if (!th_wakeup_of(msg) && !number_of(msg))
        return TH_OK;
    cr_assert_eq(th_now(self), *last);
    *last += TH_MS(10);
    return th_wakeup_after(self, TH_MS(10), NULL, NULL);
}

static const th_class clockwork_class = { .name = "clockwork",
                                          .state_size = sizeof(uint64_t),
                                          .receive = clockwork_receive };

Test(testkit, each_wakeup_fires_at_its_moment)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_system_status status;
    th_addr addr;

    cr_assert_eq(th_spawn(ts.me, &clockwork_class, NULL, &addr), TH_OK);
    send_number(&ts, addr, 0);
    cr_assert_eq(th_advance(ts.sys, TH_S(1)), TH_OK);
    cr_assert_eq(th_system_status_read(ts.sys, &status), TH_OK);
    cr_assert_eq(status.counts.wakeups_fired, 100);
    test_system_close(&ts);
}

Test(testkit, waiting_mail_can_be_read)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr addr = spawn_sum(&ts);
    const th_msg *msg;
    size_t depth;

    for (uint32_t i = 0; i < 4; i++)
        send_number(&ts, addr, i);
    cr_assert_eq(th_stop(ts.me, addr), TH_OK);
    cr_assert_eq(th_mailbox_depth(ts.sys, addr, &depth), TH_OK);
    cr_assert_eq(depth, 5);
    for (uint32_t i = 0; i < 4; i++) {
        cr_assert_eq(th_mailbox_peek(ts.sys, addr, i, &msg), TH_OK);
        cr_assert_eq(number_of(msg)->value, i);
    }
    cr_assert_eq(th_mailbox_peek(ts.sys, addr, 4, &msg), TH_OK);
    cr_assert_not_null(th_exit_request_of(msg), "it does not overtake");
    cr_assert_eq(th_mailbox_peek(ts.sys, addr, 5, &msg), TH_E_LIMIT);
    test_system_close(&ts);
}

Test(testkit, looking_changes_nothing)
{
    uint64_t hashes[2];

    for (int look = 0; look < 2; look++) {
        struct test_system ts = test_system_open(TH_BASE_SIMPLE, 7);
        th_addr one = spawn_sum(&ts), two = spawn_sum(&ts);
        const th_msg *msg;
        size_t depth;
        bool ran = true;

        send_number(&ts, one, 30);
        send_number(&ts, two, 30);
        send_number(&ts, one, 30);
        while (ran) {
            cr_assert_eq(th_step(ts.sys, &ran), TH_OK);
            if (look) {
                th_err err = th_mailbox_peek(ts.sys, one, 0, &msg);

                cr_assert(err == TH_OK || err == TH_E_LIMIT);
                cr_assert_eq(th_mailbox_depth(ts.sys, two, &depth), TH_OK);
            }
        }
        cr_assert_eq(th_trace_hash(ts.sys, &hashes[look]), TH_OK);
        test_system_close(&ts);
    }
    cr_assert_eq(hashes[0], hashes[1]);
}

static uint64_t hash_of_seed(uint64_t seed)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, seed);
    th_addr actors[5];
    uint64_t hash;

    for (int i = 0; i < 5; i++)
        actors[i] = spawn_sum(&ts);
    for (uint32_t i = 0; i < 20; i++)
        send_number(&ts, actors[i % 5], i);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(th_trace_hash(ts.sys, &hash), TH_OK);
    test_system_close(&ts);
    return hash;
}

Test(testkit, a_seed_decides_everything)
{
    int different = 0;

    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t hash = hash_of_seed(seed);

        cr_assert_eq(hash_of_seed(seed), hash, "seed %llu", (unsigned long long)seed);
        different += hash != hash_of_seed(seed + 1);
    }
    cr_assert_gt(different, 15, "seeds interleave differently");
}

Test(testkit, failures_can_be_injected)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr addr = spawn_sum(&ts);
    th_system_status status;
    th_msg *msg;

    cr_assert_eq(th_inject_failure(ts.sys, addr, TH_E_FAILED, 1), TH_OK);
    send_number(&ts, addr, 0);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(th_system_status_read(ts.sys, &status), TH_OK);
    cr_assert_eq(status.counts.failed, 1, "and the second delivery went well");
    cr_assert_eq(status.counts.poisoned, 0);
    cr_assert_eq(th_inject_failure(ts.sys, addr, TH_E_PARSE, TH_DELIVERIES_MAX), TH_OK);
    send_number(&ts, addr, 0);
    cr_assert_eq(th_listen(ts.me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(th_poison_of(msg));
    cr_assert_eq(th_poison_of(msg)->err, TH_E_PARSE);
    th_msg_destroy(ts.me, msg);
    cr_assert_eq(th_inject_failure(ts.sys, addr, TH_E_FAILED, 100), TH_OK);
    cr_assert_eq(th_inject_failure(ts.sys, addr, TH_E_FAILED, 0), TH_OK, "taken back");
    send_number(&ts, addr, 0);
    cr_assert_eq(th_listen(ts.me, TEST_PATIENCE, &msg), TH_E_TIMEOUT);
    cr_assert_eq(th_inject_failure(ts.sys, addr, TH_OK, 1), TH_E_INVALID);
    test_system_close(&ts);
}

BOTH_BASES(testkit, memory_can_fail)
{
    uint64_t before, after;
    th_addr addr;

    cr_assert_eq(th_allocations(ts->sys, &before), TH_OK);
    cr_assert_eq(th_inject_nomem(ts->sys, 1, true), TH_OK);
    cr_assert_null(th_alloc(ts->me, 100));
    cr_assert_null(th_alloc(ts->me, 100));
    cr_assert_eq(th_inject_nomem(ts->sys, 0, false), TH_OK);
    cr_assert_eq(th_allocations(ts->sys, &after), TH_OK);
    cr_assert_geq(after, before + 2);
    cr_assert_eq(th_inject_nomem(ts->sys, 2, false), TH_OK);
    for (int i = 0; i < 3; i++) {
        void *memory = th_alloc(ts->me, 100);

        /* on the pool a worker may have had the second one */
        cr_assert(i != 0 || memory || !test_is_simple(ts));
        cr_assert(i != 1 || !memory || !test_is_simple(ts));
        th_free(ts->me, memory, 100);
    }
    cr_assert_eq(th_inject_nomem(ts->sys, 0, false), TH_OK);
    cr_assert_eq(th_spawn(ts->me, &sum_class, NULL, &addr), TH_OK);
}

Test(testkit, the_pool_is_driven_by_nobody)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_addr addr = { th_system_id(ts.sys), 1, 1 };
    const th_msg *msg;
    uint64_t n;
    size_t depth;
    bool ran;

    cr_expect_eq(th_step(ts.sys, &ran), TH_E_WRONG_BASE);
    cr_expect_eq(th_run_until_idle(ts.sys, 0, &n), TH_E_WRONG_BASE);
    cr_expect_eq(th_advance(ts.sys, 1), TH_E_WRONG_BASE);
    cr_expect_eq(th_virtual_now(ts.sys, &n), TH_E_WRONG_BASE);
    cr_expect_eq(th_mailbox_depth(ts.sys, addr, &depth), TH_E_WRONG_BASE);
    cr_expect_eq(th_mailbox_peek(ts.sys, addr, 0, &msg), TH_E_WRONG_BASE);
    cr_expect_eq(th_inject_failure(ts.sys, addr, TH_E_FAILED, 1), TH_E_WRONG_BASE);
    cr_expect_eq(th_trace_hash(ts.sys, &n), TH_E_WRONG_BASE);
    test_system_close(&ts);
}

Test(testkit, bad_arguments_are_answers)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr addr = spawn_sum(&ts);
    th_addr nobody = { addr.system, addr.slot, addr.generation + 1 };
    th_addr foreign = { addr.system + 1, addr.slot, addr.generation };
    const th_msg *msg;
    size_t depth;

    cr_expect_eq(th_step(NULL, NULL), TH_E_INVALID);
    cr_expect_eq(th_run_until_idle(NULL, 0, NULL), TH_E_INVALID);
    cr_expect_eq(th_advance(NULL, 0), TH_E_INVALID);
    cr_expect_eq(th_virtual_now(ts.sys, NULL), TH_E_INVALID);
    cr_expect_eq(th_trace_hash(ts.sys, NULL), TH_E_INVALID);
    cr_expect_eq(th_allocations(ts.sys, NULL), TH_E_INVALID);
    cr_expect_eq(th_allocations(NULL, NULL), TH_E_INVALID);
    cr_expect_eq(th_inject_nomem(NULL, 1, true), TH_E_INVALID);
    cr_expect_eq(th_mailbox_depth(ts.sys, addr, NULL), TH_E_INVALID);
    cr_expect_eq(th_mailbox_depth(ts.sys, th_addr_none(), &depth), TH_E_INVALID);
    cr_expect_eq(th_mailbox_depth(ts.sys, nobody, &depth), TH_E_NO_ACTOR);
    cr_expect_eq(th_mailbox_depth(ts.sys, foreign, &depth), TH_E_FOREIGN);
    cr_expect_eq(th_mailbox_peek(ts.sys, addr, 0, NULL), TH_E_INVALID);
    cr_expect_eq(th_mailbox_peek(ts.sys, nobody, 0, &msg), TH_E_NO_ACTOR);
    cr_expect_eq(th_inject_failure(ts.sys, nobody, TH_E_FAILED, 1), TH_E_NO_ACTOR);
    test_system_close(&ts);
}

/* A handler that tries to run others inside itself. */
static th_err meddler_receive(th_self *self, void *state, const th_msg *msg)
{
    th_system *system = th_self_system(self);

    (void)state;
    if (!number_of(msg))
        return TH_OK;
    cr_assert_eq(th_step(system, NULL), TH_E_NOT_ALLOWED);
    cr_assert_eq(th_run_until_idle(system, 0, NULL), TH_E_NOT_ALLOWED);
    cr_assert_eq(th_advance(system, 1), TH_E_NOT_ALLOWED);
    return TH_OK;
}

static const th_class meddler_class = { .name = "meddler", .receive = meddler_receive };

Test(testkit, handlers_drive_nobody)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 0);
    th_addr addr;

    cr_assert_eq(th_spawn(ts.me, &meddler_class, NULL, &addr), TH_OK);
    send_number(&ts, addr, 1);
    cr_assert_eq(th_run_until_idle(ts.sys, 0, NULL), TH_OK);
    cr_assert_eq(test_system_counts(&ts).failed, 0);
    test_system_close(&ts);
}
