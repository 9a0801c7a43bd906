/* The rules of supervision: by hand, and over random events against a world that checks them. */
#include "troupe/regime.h"

#include "runtime/base/random.h"

#include <criterion/criterion.h>
#include <string.h>

enum { CHILDREN = 8 };

/* The world that the regime acts on; it notes what the rules say must hold. */
struct world {
    struct thi_regime regime;
    struct thi_regime_child children[CHILDREN];
    bool is_there[CHILDREN]; /* known to the regime */
    uint64_t now, timer;
    uint64_t unasked[4096]; /* times of restarts, in order: the naive account of G3 */
    size_t unasked_count;
    bool left;
};

static struct world world;

static const struct thi_regime_limits some = { TH_ONE_FOR_ONE, 3, 1000, 10, 80 };

static void begin_with(th_strategy strategy, uint32_t restarts_max)
{
    struct thi_regime_limits limits = some;

    memset(&world, 0, sizeof(world));
    limits.strategy = strategy;
    limits.restarts_max = restarts_max;
    world.now = 5000;
    world.timer = UINT64_MAX;
    cr_assert(thi_regime_limits_check(&limits));
    thi_regime_init(&world.regime, &limits);
}

static int number_of(const struct thi_regime_child *child)
{
    return (int)(child - world.children);
}

static void check_spawn(const struct thi_regime_child *child)
{
    cr_assert(!world.regime.leaving);
    cr_assert_leq(child->due_ns, world.now, "too early");
    for (struct thi_regime_child *other = world.regime.first; other; other = other->next) {
        cr_assert_neq(other->state, THI_REGIME_STOPPING, "G2");
        cr_assert(!other->doomed, "G2");
    }
    for (struct thi_regime_child *other = child->prev; other; other = other->prev)
        cr_assert(!other->wanted || other->state == THI_REGIME_UP ||
                      (world.regime.limits.strategy == TH_ONE_FOR_ONE && other->was_up),
                  "G1");
}

static void check_stop(const struct thi_regime_child *child)
{
    for (struct thi_regime_child *other = world.regime.first; other; other = other->next)
        cr_assert(other == child || other->state != THI_REGIME_STOPPING, "G2: one at a time");
    for (struct thi_regime_child *other = child->next; other; other = other->next)
        cr_assert(!other->doomed, "G2: the last first");
}

static void play(void)
{
    struct thi_regime_action action;

    while (thi_regime_next(&world.regime, world.now, &action)) {
        switch (action.what) {
        case THI_REGIME_SPAWN: check_spawn(action.child); break;
        case THI_REGIME_STOP: check_stop(action.child); break;
        case THI_REGIME_FORGET: world.is_there[number_of(action.child)] = false; break;
        case THI_REGIME_ARM:
            cr_assert_gt(action.delay_ns, 0);
            world.timer = world.now + action.delay_ns;
            break;
        case THI_REGIME_LEAVE:
            for (int i = 0; i < CHILDREN; i++)
                cr_assert(!world.is_there[i] || world.children[i].state == THI_REGIME_DOWN);
            cr_assert(!world.left);
            world.left = true;
            break;
        }
    }
}

static void add(int i, th_restart restart)
{
    world.is_there[i] = true;
    thi_regime_add(&world.regime, &world.children[i], restart);
    play();
}

static void start(int i)
{
    thi_regime_started(&world.regime, &world.children[i], world.now);
    play();
}

static void end(int i, bool failed)
{
    (void)thi_regime_ended(&world.regime, &world.children[i], failed, world.now, 0);
    play();
}

static void pass(uint64_t ns)
{
    world.now += ns;
    if (world.timer <= world.now) {
        world.timer = UINT64_MAX;
        thi_regime_timer(&world.regime);
    }
    play();
}

static enum thi_regime_state state(int i)
{
    return world.children[i].state;
}

/* Three of them, all up. */
static void raise(th_strategy strategy, th_restart restart)
{
    begin_with(strategy, 3);
    for (int i = 0; i < 3; i++)
        add(i, restart);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(state(i), THI_REGIME_STARTING);
        cr_assert(i == 2 || state(i + 1) == THI_REGIME_DOWN, "each waits for the one before");
        start(i);
    }
}

Test(regime, one_for_one_restarts_one)
{
    raise(TH_ONE_FOR_ONE, TH_RESTART_PERMANENT);
    end(1, false);
    cr_assert_eq(state(1), THI_REGIME_DOWN);
    pass(9);
    cr_assert_eq(state(1), THI_REGIME_DOWN, "there is a pause");
    pass(1);
    cr_assert_eq(state(1), THI_REGIME_STARTING);
    start(1);
    cr_assert_eq(state(0), THI_REGIME_UP);
    cr_assert_eq(state(2), THI_REGIME_UP);
}

Test(regime, all_for_one_stops_the_last_first_and_restarts_in_order)
{
    raise(TH_ALL_FOR_ONE, TH_RESTART_PERMANENT);
    end(1, true);
    cr_assert_eq(state(2), THI_REGIME_STOPPING);
    cr_assert_eq(state(0), THI_REGIME_UP, "not yet");
    pass(100);
    end(2, false);
    cr_assert_eq(state(0), THI_REGIME_STOPPING);
    end(0, false);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(state(i), THI_REGIME_STARTING);
        start(i);
    }
    cr_assert_eq(world.regime.restarts, 1, "one end, one restart");
}

Test(regime, rest_for_one_leaves_those_before)
{
    raise(TH_REST_FOR_ONE, TH_RESTART_PERMANENT);
    end(1, true);
    cr_assert_eq(state(2), THI_REGIME_STOPPING);
    end(2, false);
    cr_assert_eq(state(0), THI_REGIME_UP);
    pass(10);
    cr_assert_eq(state(1), THI_REGIME_STARTING);
    cr_assert_eq(state(2), THI_REGIME_DOWN);
    start(1);
    cr_assert_eq(state(2), THI_REGIME_STARTING);
}

Test(regime, transient_ones_may_finish)
{
    raise(TH_ONE_FOR_ONE, TH_RESTART_TRANSIENT);
    end(0, false);
    end(1, true);
    pass(100);
    cr_assert_eq(state(0), THI_REGIME_DOWN);
    cr_assert_eq(state(1), THI_REGIME_STARTING);
    cr_assert(world.is_there[0]);
}

Test(regime, temporary_ones_are_forgotten)
{
    raise(TH_ALL_FOR_ONE, TH_RESTART_TEMPORARY);
    end(0, true);
    cr_assert(!world.is_there[0]);
    cr_assert_eq(state(1), THI_REGIME_UP, "and nobody goes with them");
}

Test(regime, gives_up_after_too_many)
{
    raise(TH_ONE_FOR_ONE, TH_RESTART_PERMANENT);
    for (int i = 0; i < 3; i++) {
        end(0, true);
        pass(80);
        start(0);
    }
    cr_assert(thi_regime_ended(&world.regime, &world.children[0], true, world.now, 0));
    play();
    cr_assert_eq(state(2), THI_REGIME_STOPPING);
    end(2, false);
    cr_assert(!world.left);
    end(1, false);
    cr_assert(world.left);
    cr_assert(world.regime.gave_up);
}

Test(regime, bears_them_when_they_are_far_apart)
{
    raise(TH_ONE_FOR_ONE, TH_RESTART_PERMANENT);
    for (int i = 0; i < 20; i++) {
        end(0, true);
        pass(500);
        cr_assert_eq(state(0), THI_REGIME_STARTING, "restart %d", i);
        start(0);
    }
}

Test(regime, pauses_grow_and_are_forgiven)
{
    static const uint64_t pauses[] = { 10, 20, 40, 80, 80, 80 };

    begin_with(TH_ONE_FOR_ONE, TH_SUPERVISOR_RESTARTS_MAX);
    add(0, TH_RESTART_PERMANENT);
    for (int i = 0; i < 6; i++) {
        start(0);
        end(0, true);
        cr_assert_eq(world.timer - world.now, pauses[i]);
        pass(pauses[i]);
    }
    start(0);
    pass(1000);
    end(0, true);
    cr_assert_eq(world.timer - world.now, 10);
}

Test(regime, jitter_takes_at_most_half)
{
    for (uint64_t random = 0; random < 100; random++) {
        begin_with(TH_ONE_FOR_ONE, 3);
        add(0, TH_RESTART_PERMANENT);
        start(0);
        (void)thi_regime_ended(&world.regime, &world.children[0], true, world.now, random);
        play();
        cr_assert_geq(world.timer - world.now, 5);
        cr_assert_leq(world.timer - world.now, 10);
    }
}

Test(regime, removes_one)
{
    raise(TH_ALL_FOR_ONE, TH_RESTART_PERMANENT);
    thi_regime_remove(&world.regime, &world.children[1]);
    play();
    cr_assert_eq(state(1), THI_REGIME_STOPPING);
    end(1, false);
    cr_assert(!world.is_there[1]);
    cr_assert_eq(world.regime.count, 2);
    cr_assert_eq(state(0), THI_REGIME_UP);
    cr_assert_eq(world.regime.restarts, 0);
}

Test(regime, has_bounds)
{
    struct thi_regime_limits limits = some;

    cr_assert(thi_regime_limits_check(&limits));
    limits.restarts_max = TH_SUPERVISOR_RESTARTS_MAX + 1;
    cr_assert(!thi_regime_limits_check(&limits));
    limits = some;
    limits.backoff_min_ns = 81;
    cr_assert(!thi_regime_limits_check(&limits));
    limits = some;
    limits.strategy = (th_strategy)3;
    cr_assert(!thi_regime_limits_check(&limits));
}

/* ---- random ---- */

/* The naive account of G3: every restart ever made, searched. */
static bool is_one_too_many(void)
{
    size_t recent = 0;

    for (size_t i = 0; i < world.unasked_count; i++)
        recent += world.now - world.unasked[i] < world.regime.limits.window_ns;
    return recent >= world.regime.limits.restarts_max;
}

static void random_end(int i, bool failed, uint64_t random)
{
    struct thi_regime_child *child = &world.children[i];
    bool asked = child->state == THI_REGIME_STOPPING || child->doomed || !child->wanted;
    bool restarts = !asked && child->restart != TH_RESTART_TEMPORARY &&
                    (failed || child->restart == TH_RESTART_PERMANENT);
    bool expected = restarts && is_one_too_many();
    bool said = thi_regime_ended(&world.regime, child, failed, world.now, random);

    cr_assert_eq(said, expected, "G3");
    if (restarts && !expected)
        world.unasked[world.unasked_count++] = world.now;
    if (restarts && !expected && world.regime.limits.strategy != TH_ONE_FOR_ONE)
        for (struct thi_regime_child *other = child->next; other; other = other->next)
            cr_assert(other->doomed || other->state == THI_REGIME_DOWN ||
                          other->state == THI_REGIME_STOPPING,
                      "those behind it go, too");
    play();
}

static void random_event(struct thi_random *random)
{
    int i = (int)thi_random_below(random, CHILDREN);
    struct thi_regime_child *child = &world.children[i];

    switch (thi_random_below(random, 10)) {
    case 0:
        if (!world.is_there[i])
            add(i, (th_restart)thi_random_below(random, 3));
        return;
    case 1:
        if (world.is_there[i] && thi_random_below(random, 4) == 0)
            thi_regime_remove(&world.regime, child);
        play();
        return;
    case 2:
    case 3: pass(thi_random_below(random, 120)); return;
    case 4:
    case 5:
        if (world.is_there[i] && child->state != THI_REGIME_DOWN)
            random_end(i, thi_random_below(random, 2), thi_random_next(random));
        return;
    default:
        if (world.is_there[i] && child->state == THI_REGIME_STARTING)
            start(i);
        return;
    }
}

/* Nothing fails any more: everybody who is wanted comes up, or the end is reached. */
static void settle(void)
{
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < CHILDREN; i++) {
            if (world.is_there[i] && state(i) == THI_REGIME_STOPPING)
                end(i, false);
            if (world.is_there[i] && state(i) == THI_REGIME_STARTING)
                start(i);
        }
        pass(100);
    }
    cr_assert_eq(world.left, world.regime.leaving);
    for (int i = 0; i < CHILDREN; i++)
        if (world.is_there[i])
            cr_assert_eq(state(i), world.children[i].wanted ? THI_REGIME_UP : THI_REGIME_DOWN);
}

Test(regime, keeps_its_rules_over_random_events, .timeout = 100)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct thi_random random;

        thi_random_init(&random, seed);
        begin_with((th_strategy)thi_random_below(&random, 3),
                   1 + (uint32_t)thi_random_below(&random, 10));
        for (int event = 0; event < 300; event++)
            random_event(&random);
        settle();
        thi_regime_leave(&world.regime);
        play();
        settle();
        cr_assert(world.left);
    }
}
