/* One seeded thread in place of the workers: the seed decides, and nothing else. */
#include <criterion/criterion.h>

#include <string.h>

#include "runtime/sched/step.h"

enum { JOBS = 100, PICKS = 3000 };

struct job {
    struct thi_task task; /* first */
    unsigned number, left;
    unsigned turns;
};

static unsigned picked[PICKS];
static size_t picks;
static unsigned idle_calls;

static void run(struct thi_worker *worker, struct thi_task *task)
{
    struct job *job = (struct job *)(void *)task;

    cr_assert_lt(picks, PICKS);
    picked[picks++] = job->number;
    job->turns++;
    if (job->left && --job->left)
        thi_worker_requeue(worker, task);
}

static void nothing(struct thi_worker *worker)
{
    (void)worker;
}

static void idle(struct thi_worker *worker)
{
    (void)worker;
    idle_calls++;
}

static const struct thi_task_ops ops = {
    .run = run, .worker_begin = nothing, .worker_end = nothing, .worker_idle = idle
};

struct stage {
    struct thi_memory memory;
    struct thi_depot depot;
    struct thi_step step;
    struct job jobs[JOBS];
};

static struct stage stage;

static void open_stage(uint64_t seed)
{
    memset(&stage, 0, sizeof(stage));
    picks = 0;
    idle_calls = 0;
    cr_assert_eq(thi_memory_init(&stage.memory, NULL, 0), TH_OK);
    thi_depot_init(&stage.depot, &stage.memory);
    cr_assert_eq(thi_step_start(&stage.step, &ops, &stage.memory, &stage.depot, 1, &stage, seed),
                 TH_OK);
    for (unsigned i = 0; i < JOBS; i++)
        stage.jobs[i].number = i;
}

static void close_stage(void)
{
    thi_step_stop(&stage.step);
    cr_assert_eq(thi_depot_fini(&stage.depot), 0);
    cr_assert_eq(thi_memory_fini(&stage.memory), 0);
}

/* Every job @times times. */
static void run_all(uint64_t seed, unsigned times)
{
    open_stage(seed);
    for (unsigned i = 0; i < JOBS; i++) {
        stage.jobs[i].left = times;
        thi_step_submit(&stage.step, &stage.jobs[i].task);
    }
    while (thi_step_once(&stage.step))
        ;
    cr_assert_eq(picks, JOBS * times);
    for (unsigned i = 0; i < JOBS; i++)
        cr_assert_eq(stage.jobs[i].turns, times);
    cr_assert_eq(stage.step.steps, picks);
    cr_assert_eq(idle_calls, picks);
    close_stage();
}

Test(step, of_nothing_is_none)
{
    open_stage(1);
    cr_assert_not(thi_step_once(&stage.step));
    cr_assert_eq(stage.step.steps, 0);
    close_stage();
}

Test(step, of_seed_0_is_first_come_first_served)
{
    run_all(0, 10);
    for (unsigned i = 0; i < picks; i++)
        cr_assert_eq(picked[i], i % JOBS);
}

Test(step, of_the_same_seed_picks_the_same)
{
    static unsigned first[PICKS];

    for (uint64_t seed = 1; seed < 20; seed++) {
        run_all(seed, 10);
        memcpy(first, picked, sizeof(first));
        memset(picked, 0, sizeof(picked));
        run_all(seed, 10);
        cr_assert_arr_eq(first, picked, JOBS * 10 * sizeof(picked[0]));
        run_all(seed + 1, 10);
        cr_assert_arr_neq(first, picked, JOBS * 10 * sizeof(picked[0]));
    }
}

Test(step, may_begin_with_any_of_the_first)
{
    bool was_first[JOBS] = { false };

    for (uint64_t seed = 1; seed < 3000; seed++) {
        run_all(seed, 1);
        was_first[picked[0]] = true;
    }
    for (int i = 0; i < 64; i++)
        cr_assert(was_first[i], "%d is never first", i);
}

Test(step, passes_nobody_over_for_ever)
{
    open_stage(7);
    thi_step_submit(&stage.step, &stage.jobs[0].task);
    for (unsigned i = 1; i < 10; i++) {
        stage.jobs[i].left = PICKS;
        thi_step_submit(&stage.step, &stage.jobs[i].task);
    }
    while (!stage.jobs[0].turns)
        cr_assert(thi_step_once(&stage.step)); /* run() has a limit of its own */
    close_stage();
}

Test(step, budget_is_small_mostly_and_whole_now_and_then)
{
    unsigned whole = 0, one = 0;

    open_stage(3);
    for (int i = 0; i < 10000; i++) {
        unsigned budget = thi_step_budget(&stage.step);

        cr_assert(budget == TH_TURN_MESSAGES_MAX || (budget >= 1 && budget <= 8));
        whole += budget == TH_TURN_MESSAGES_MAX;
        one += budget == 1;
    }
    cr_assert(whole > 2000 && whole < 3000);
    cr_assert_gt(one, 500);
    close_stage();
    open_stage(0);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(thi_step_budget(&stage.step), TH_TURN_MESSAGES_MAX);
    close_stage();
}

static uint64_t trace_of(const uint64_t *words, size_t count)
{
    uint64_t trace;

    open_stage(1);
    for (size_t i = 0; i < count; i++)
        thi_step_trace(&stage.step, words[i]);
    trace = stage.step.trace;
    close_stage();
    return trace;
}

Test(step, trace_tells_any_difference)
{
    uint64_t words[4] = { 1, 2, 3, 4 }, swapped[4] = { 1, 3, 2, 4 };
    uint64_t trace = trace_of(words, 4);

    cr_assert_eq(trace_of(words, 4), trace);
    cr_assert_neq(trace_of(words, 3), trace);
    cr_assert_neq(trace_of(swapped, 4), trace);
    for (int bit = 0; bit < 64; bit++) {
        words[2] ^= UINT64_C(1) << bit;
        cr_assert_neq(trace_of(words, 4), trace, "bit %d", bit);
        words[2] ^= UINT64_C(1) << bit;
    }
}
