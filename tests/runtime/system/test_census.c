/* Who lives in a system: each live actor once, and nobody else who has an address. */
#include "runtime/system/census.h"

#include <criterion/criterion.h>

#include "tests/support/shortage.h"
#include "tests/support/talk.h"
#include <thespis/testkit.h>

enum { ACTORS = 12 };

static const th_class plain_class = { .name = "plain" };

static void run(struct test_system *ts)
{
    must(th_run_until_idle(ts->sys, 0, NULL));
}

/* Spawns them all and stops every third. */
static void people(struct test_system *ts, th_addr all[ACTORS])
{
    for (int i = 0; i < ACTORS; i++)
        must(th_spawn(ts->me, &plain_class, NULL, &all[i]));
    run(ts);
    for (int i = 0; i < ACTORS; i += 3)
        must(th_stop(ts->me, all[i]));
    run(ts);
}

/* The next one from *@slot on, by its address. */
static th_addr next(struct test_system *ts, uint32_t *slot)
{
    th_actor_status status = { .addr = { 0 } };
    struct thi_stage *stage = &ts->sys->stage;
    bool is_idle = false, is_there;

    thi_stage_enter(stage);
    is_there = thi_census_next(ts->sys, slot, &status, &is_idle);
    thi_stage_leave(stage);
    if (is_there) {
        cr_assert(is_idle);
        cr_assert_str_eq(status.class_name, "plain");
    }
    return is_there ? status.addr : th_addr_none();
}

static bool is_found(struct test_system *ts, th_addr addr)
{
    struct thi_stage *stage = &ts->sys->stage;
    th_actor_status status;
    bool found;

    thi_stage_enter(stage);
    found = thi_census_find(ts->sys, addr, &status);
    thi_stage_leave(stage);
    cr_assert(!found || th_addr_equal(status.addr, addr));
    return found;
}

/* The admin, endpoints and questions have slots among those of the actors. */
Test(census, each_who_lives_is_met_once)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr all[ACTORS];
    uint32_t slot = 0;
    th_self *own;

    must(th_endpoint_open(ts.sys, &own));
    people(&ts, all);
    for (int i = 0; i < ACTORS; i++)
        if (i % 3)
            cr_assert(th_addr_equal(next(&ts, &slot), all[i]), "%d", i);
    cr_assert(th_addr_is_none(next(&ts, &slot)));
    cr_assert(th_addr_is_none(next(&ts, &slot)), "and so it stays");
    slot = UINT32_MAX;
    cr_assert(th_addr_is_none(next(&ts, &slot)));
    must(th_endpoint_close(own));
    test_system_close(&ts);
}

Test(census, the_dead_and_strangers_are_not_found)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr all[ACTORS], other;

    people(&ts, all);
    for (int i = 0; i < ACTORS; i++)
        cr_assert_eq(is_found(&ts, all[i]), i % 3 != 0);
    other = all[1];
    other.generation++;
    cr_assert_not(is_found(&ts, other), "its successor has not been born");
    other = (th_addr){ all[1].system, UINT32_MAX, 1 };
    cr_assert_not(is_found(&ts, other));
    cr_assert_not(is_found(&ts, th_self_addr(ts.me)), "an endpoint");
    test_system_close(&ts);
}

/* A slot that is used again is its new actor's, under both looks. */
Test(census, a_slot_used_again_is_one_actor)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1);
    th_addr first, second;
    uint32_t slot = 0;

    do { /* until the first one's slot comes again */
        must(th_spawn(ts.me, &plain_class, NULL, &first));
        run(&ts);
        must(th_stop(ts.me, first));
        run(&ts);
        must(th_spawn(ts.me, &plain_class, NULL, &second));
        run(&ts);
        if (first.slot != second.slot)
            must(th_stop(ts.me, second));
    } while (first.slot != second.slot);
    run(&ts);
    cr_assert(is_found(&ts, second) && !is_found(&ts, first));
    cr_assert(th_addr_equal(next(&ts, &slot), second));
    cr_assert(th_addr_is_none(next(&ts, &slot)));
    test_system_close(&ts);
}

/* Short of memory it says so, and keeps nothing. */
Test(census, workers_take_memory_or_are_not_told)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    struct shortage shortage = shortage_begin(ts.sys, 1, true);
    th_worker_status *workers = NULL;
    size_t count = 0;
    bool is_told = thi_census_workers(ts.sys, &workers, &count);

    cr_assert(shortage_end(&shortage));
    cr_assert_not(is_told);
    cr_assert(thi_census_workers(ts.sys, &workers, &count));
    cr_assert_eq(count, 2);
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(workers[i].kind, "worker");
    thi_memory_give(&ts.sys->stage.memory, workers, count * sizeof(*workers));
    test_system_close(&ts);
}
