/* Whether another worker is worth it, from windows that the test makes up. */
#include <criterion/criterion.h>

#include <string.h>

#include "runtime/sched/pool.h"
#include <thespis/actor.h>

/* A pool of two workers without threads: what they did is what the test says. */
struct scene {
    struct thi_pool pool;
    struct thi_worker workers[2];
    struct thi_worker *list[2];
    uint64_t now;
};

static struct scene scene;

static void open_scene(void)
{
    memset(&scene, 0, sizeof(scene));
    for (int i = 0; i < 2; i++) {
        scene.list[i] = &scene.workers[i];
        scene.workers[i].pool = &scene.pool;
    }
    scene.pool.workers = scene.list;
    atomic_store(&scene.pool.made, 2);
    thi_benefit_init(&scene.pool.benefit);
    scene.now = TH_S(1);
}

static bool look_after(uint64_t span_ns)
{
    scene.now += span_ns;
    return thi_benefit_look(&scene.workers[0], scene.now);
}

/* A window of @running workers that handled @messages in all. */
static bool window(uint32_t running, uint64_t messages)
{
    atomic_store(&scene.pool.running, running);
    thi_stats_add(&scene.workers[0].stats, THI_STAT_HANDLED, messages / 2);
    thi_stats_add(&scene.workers[1].stats, THI_STAT_HANDLED, messages - messages / 2);
    return look_after(TH_BENEFIT_WINDOW_NS);
}

/* The first after a change of workers is not measured. */
static void begin(uint32_t running)
{
    cr_assert_not(window(running, 12345));
}

static uint64_t penalty(void)
{
    return thi_benefit_pressure(&scene.pool.benefit) / TH_WAKE_PRESSURE_NS;
}

/* Messages in a window: at FEW, two workers need more than TH_BENEFIT_CHEAP_NS for each. */
enum {
    MANY = 4 * TH_BENEFIT_WINDOW_NS / TH_BENEFIT_CHEAP_NS,
    FEW = TH_BENEFIT_WINDOW_NS / TH_BENEFIT_CHEAP_NS
};

Test(benefit, of_one_worker_is_no_question, .init = open_scene)
{
    begin(1);
    for (int i = 0; i < 100; i++)
        cr_assert_not(window(1, MANY));
    cr_assert_eq(penalty(), 1);
}

Test(benefit, is_measured_by_parking_when_fewer_were_never_seen, .init = open_scene)
{
    begin(2);
    cr_assert(window(2, MANY));
    cr_assert_eq(penalty(), 1, "which is nobody's fault");
}

Test(benefit, is_not_there_when_two_do_what_one_does, .init = open_scene)
{
    begin(1);
    window(1, MANY);
    begin(2);
    for (uint64_t i = 1; i <= 10; i++) {
        cr_assert(window(2, MANY));
        cr_assert_eq(penalty(), i < 6 ? UINT64_C(1) << i : 64, "doubled, up to a limit");
    }
}

Test(benefit, is_not_there_when_it_is_small, .init = open_scene)
{
    begin(1);
    window(1, MANY);
    begin(2);
    cr_assert(window(2, MANY + MANY * (TH_BENEFIT_GAIN_PERCENT - 2) / 100));
    cr_assert_not(window(2, MANY + MANY * (TH_BENEFIT_GAIN_PERCENT + 2) / 100));
    cr_assert_eq(penalty(), 2);
}

Test(benefit, is_not_asked_when_messages_are_dear, .init = open_scene)
{
    begin(1);
    window(1, MANY);
    begin(2);
    for (int i = 0; i < 100; i++)
        cr_assert_not(window(2, FEW), "less than one did, but each a long one");
    cr_assert_eq(penalty(), 1);
}

Test(benefit, is_not_read_from_a_window_in_which_somebody_parked, .init = open_scene)
{
    begin(1);
    window(1, MANY);
    begin(2);
    thi_stats_add(&scene.workers[1].stats, THI_STAT_PARKS, 1);
    cr_assert_not(window(2, MANY));
    cr_assert(window(2, MANY), "the next counts again");
}

Test(benefit, is_not_read_from_a_window_with_a_change_of_workers, .init = open_scene)
{
    begin(1);
    window(1, MANY);
    cr_assert_not(window(2, MANY));
    cr_assert(window(2, MANY));
    cr_assert_not(window(1, MANY));
}

Test(benefit, is_not_read_before_the_window_is_over_nor_long_after, .init = open_scene)
{
    begin(1);
    window(1, MANY);
    begin(2);
    thi_stats_add(&scene.workers[0].stats, THI_STAT_HANDLED, MANY);
    cr_assert_not(look_after(TH_BENEFIT_WINDOW_NS - 1));
    cr_assert(look_after(1));
    thi_stats_add(&scene.workers[0].stats, THI_STAT_HANDLED, 4 * MANY);
    cr_assert_not(look_after(4 * TH_BENEFIT_WINDOW_NS), "nobody measured");
    thi_stats_add(&scene.workers[0].stats, THI_STAT_HANDLED, MANY);
    scene.now -= TH_BENEFIT_WINDOW_NS / 2; /* another core's clock */
    cr_assert_not(look_after(0));
}

Test(benefit, penalty_passes, .init = open_scene)
{
    begin(1);
    window(1, MANY);
    begin(2);
    for (int i = 0; i < 3; i++)
        cr_assert(window(2, MANY));
    cr_assert_eq(penalty(), 8);
    for (uint64_t left = 8; left > 1; left /= 2) {
        uint64_t until = scene.now + TH_BENEFIT_PENALTY_NS;

        while (scene.now + TH_BENEFIT_WINDOW_NS <= until) {
            cr_assert_not(window(1, MANY));
            cr_assert_eq(penalty(), left);
        }
        window(1, MANY);
        cr_assert_eq(penalty(), left / 2);
    }
    for (int i = 0; i < 200; i++)
        window(1, MANY);
    cr_assert_eq(penalty(), 1);
}

Test(benefit, record_fades, .init = open_scene)
{
    uint64_t record, usual = (uint64_t)MANY * 1000000 / TH_BENEFIT_WINDOW_NS;
    int windows = 0;

    begin(1);
    window(1, 2 * MANY); /* and not to be had again */
    record = scene.pool.benefit.rates[1];
    cr_assert_eq(record, 2 * usual);
    for (; scene.pool.benefit.rates[1] > usual + usual / 10; windows++) {
        cr_assert_lt(windows, 10000);
        window(1, MANY);
    }
    cr_assert_gt(windows, 50, "not at once");
}

Test(benefit, is_somebody_elses_to_measure_while_he_does, .init = open_scene)
{
    begin(2);
    ck_spinlock_lock(&scene.pool.benefit.lock);
    cr_assert_not(window(2, MANY));
    ck_spinlock_unlock(&scene.pool.benefit.lock);
    cr_assert(window(2, MANY));
}
