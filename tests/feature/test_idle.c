/* Nothing to do costs nothing: an idle pool takes no turns, wakes nobody and uses no processor,
 * whatever is pending. */
#include <string.h>
#include <time.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static th_pool_status pool_of(th_system *sys)
{
    th_system_status status;

    must(th_system_status_read(sys, &status));
    return status.pool;
}

static bool is_same(const th_pool_status *a, const th_pool_status *b)
{
    return a->turns == b->turns && a->parks == b->parks && a->wakes == b->wakes &&
           a->steals == b->steals && a->rescues == b->rescues && b->running == 0;
}

static void note_who_is_up(void *context, const th_worker_status *worker)
{
    bool *is_up = context;

    *is_up |= strcmp(worker->kind, "worker") == 0 && strcmp(worker->state, "parked") != 0;
}

/* Whether a worker has not come to rest. One that is parked has counted that; one that only runs no
 * more has not yet. */
static bool is_anybody_up(th_system *sys)
{
    bool is_up = false;

    must(th_workers_each(sys, note_who_is_up, &is_up));
    return is_up;
}

/* Workers look around for some microseconds before they park, and a busy machine may stop one in
 * the middle of that, or before it begins, for longer than we listen. */
static th_pool_status settle(struct test_system *ts)
{
    th_pool_status before, after = pool_of(ts->sys);
    th_msg *msg = NULL;

    do {
        before = after;
        must_be(th_listen(ts->me, TH_MS(5), &msg), TH_E_TIMEOUT);
        after = pool_of(ts->sys);
    } while (is_anybody_up(ts->sys) || after.running || !is_same(&before, &after));
    return after;
}

/* While this thread waits. One worker that spins would use as much time as passes. */
static void expect_idle(struct test_system *ts)
{
    th_pool_status before = settle(ts), after;
    uint64_t used = cpu_ns(), passed = th_now(ts->me);
    th_msg *msg = NULL;

    must_be(th_listen(ts->me, TH_MS(200), &msg), TH_E_TIMEOUT);
    used = cpu_ns() - used;
    passed = th_now(ts->me) - passed;
    after = pool_of(ts->sys);
    /* on a machine with other work a worker may lie down only now, once each */
    cr_assert(before.turns == after.turns && before.wakes == after.wakes &&
                  after.parks - before.parks <= after.workers,
              "turns %llu, parks %llu, wakes %llu in an idle pool",
              (unsigned long long)(after.turns - before.turns),
              (unsigned long long)(after.parks - before.parks),
              (unsigned long long)(after.wakes - before.wakes));
    cr_assert_lt(used, passed / 2, "%llu us of processor in %llu us",
                 (unsigned long long)used / 1000, (unsigned long long)passed / 1000);
}

static const th_class deaf = { .name = "deaf" };

Test(idle, a_pool_that_never_worked)
{
    struct test_system ts =
        test_system_open_with(&(th_options){ .base = TH_BASE_POOL, .workers = 4 });

    expect_idle(&ts);
    test_system_close(&ts);
}

Test(idle, a_pool_after_work)
{
    struct test_system ts =
        test_system_open_with(&(th_options){ .base = TH_BASE_POOL, .workers = 4 });
    th_addr counter = talk_create(ts.me, &talk_counter);

    for (int i = 0; i < 1000; i++)
        talk_create(ts.me, &deaf);
    for (int i = 0; i < 10000; i++)
        must(talk_say(ts.me, counter, "work"));
    talk_wait_for(ts.me, counter, 10000);
    expect_idle(&ts);
    test_system_close(&ts);
}

Test(idle, a_pool_with_wakeups_and_actors_of_their_own_threads)
{
    struct test_system ts =
        test_system_open_with(&(th_options){ .base = TH_BASE_POOL, .workers = 4 });
    th_addr addr;

    for (uint64_t i = 1; i <= 100; i++)
        must(th_wakeup_after(ts.me, TH_S(3600) * i, NULL, NULL));
    for (int i = 0; i < 4; i++)
        must(th_create(ts.me, &(th_spawn_options){ .klass = &deaf, .own_thread = true },
                       TALK_PATIENCE, &addr, NULL));
    expect_idle(&ts);
    test_system_close(&ts);
}

Test(idle, the_simple_base_takes_no_step)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    uint64_t steps = 1;
    bool ran = true;

    talk_create(ts.me, &deaf);
    must(th_wakeup_after(ts.me, TH_S(3600), NULL, NULL));
    must(th_run_until_idle(ts.sys, 0, NULL));
    must(th_run_until_idle(ts.sys, 0, &steps));
    cr_assert_eq(steps, 0);
    must(th_step(ts.sys, &ran));
    cr_assert(!ran);
    test_system_close(&ts);
}
