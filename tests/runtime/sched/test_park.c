/* Sleep and wake, no wake-up lost, and the sentry. */
#include "crew.h"

#include "runtime/base/clock.h"

static struct crew crew;

Test(park, every_submission_finds_a_parked_worker, .timeout = 60)
{
    static struct job job = { .body = body_count };
    unsigned i;

    crew_start(&crew, 2);
    for (i = 0; i < 3000; i++) {
        if (i % 3 == 0)
            crew_wait_parked(&crew, 0); /* else it races with the way to sleep */
        crew_submit(&crew, &job);
        crew_wait(&crew.done, i + 1);
    }
    cr_assert_eq(job.turns, 3000);
    crew_stop(&crew);
}

Test(park, everybody_sleeps_when_there_is_nothing, .timeout = 60)
{
    static struct job job = { .body = body_count };
    th_pool_status status;

    crew_start(&crew, 4);
    crew_submit(&crew, &job);
    crew_wait(&crew.done, 1);
    crew_wait_parked(&crew, 0);
    do /* who lies down says so a moment after it is counted out */
        thi_pool_status(&crew.pool, &status);
    while (status.parks < 4);
    cr_assert_eq(status.running, 0);
    crew_stop(&crew);
}

/* ---- a submission at the worst moment: after the last look of a worker about to park ---- */

static struct job first_late, second_late;
static _Atomic unsigned brinks, came_late;

/* Holds worker 0 up, once. Its submitter sees it searching, and wakes nobody. */
static void hold_at_brink(struct crew *of, struct thi_worker *worker)
{
    (void)of;
    if (worker->index != 0 || atomic_fetch_add(&brinks, 1) != 0)
        return;
    while (atomic_load(&came_late) == 0)
        sched_yield();
}

static void begin_at_brink(unsigned workers, job_body *body)
{
    atomic_store(&brinks, 0);
    atomic_store(&came_late, 0);
    crew_start_with(&crew, workers, hold_at_brink);
    crew_wait(&brinks, 1);
    first_late = (struct job){ .body = body };
    crew_submit(&crew, &first_late);
    atomic_store(&came_late, 1);
}

Test(park, a_submission_after_the_last_look_is_seen, .timeout = 20)
{
    begin_at_brink(1, body_count);
    crew_wait(&crew.done, 1);
    crew_stop(&crew);
}

/* Runs until somebody else has run the other one. */
static void body_wait_for_second(struct crew *of, struct thi_worker *worker, struct job *job)
{
    (void)of;
    (void)worker;
    crew_wait(&second_late.over, 1);
    job_over(job);
}

Test(park, who_went_on_after_all_is_no_longer_taken_for_a_sleeper, .timeout = 20)
{
    second_late = (struct job){ .body = body_count };
    begin_at_brink(2, body_wait_for_second);
    crew_wait(&first_late.begun, 1);
    crew_wait_parked(&crew, 1);
    crew_submit(&crew, &second_late);
    crew_wait(&first_late.over, 1);
    crew_stop(&crew);
}

/* ---- the sentry: what waits behind a long handler is run by somebody else ---- */

enum { BYSTANDERS = 5 };

static struct job bystanders[BYSTANDERS];
static struct job hog, starter, blocker;

/* Does not end before the bystanders have run. */
static void body_hog(struct crew *of, struct thi_worker *worker, struct job *job)
{
    (void)worker;
    atomic_store(&of->go, true);
    crew_wait(&of->done, BYSTANDERS);
    job_over(job);
    atomic_fetch_add(&of->done, 1);
}

static void queue_behind_hog(struct thi_worker *worker)
{
    unsigned i;

    for (i = 0; i < BYSTANDERS; i++) {
        bystanders[i] = (struct job){ .body = body_count, .crew = &crew };
        thi_worker_submit(worker, &bystanders[i].task);
    }
    hog = (struct job){ .body = body_hog, .crew = &crew };
    thi_worker_submit(worker, &hog.task); /* the slot is the first to be run */
}

static void body_start_beside_a_sleeper(struct crew *of, struct thi_worker *worker, struct job *job)
{
    crew_wait_parked(of, 1);
    job_over(job);
    queue_behind_hog(worker);
}

static void body_start_beside_a_busy_one(struct crew *of, struct thi_worker *worker,
                                         struct job *job)
{
    crew_wait(&blocker.begun, 1);
    (void)of;
    job_over(job);
    queue_behind_hog(worker);
}

static void body_block(struct crew *of, struct thi_worker *worker, struct job *job)
{
    (void)worker;
    while (!atomic_load(&of->go))
        sched_yield();
    job_over(job);
}

Test(park, all_who_wait_behind_a_long_handler_are_rescued, .timeout = 20)
{
    crew_start(&crew, 2);
    starter = (struct job){ .body = body_start_beside_a_sleeper };
    crew_submit(&crew, &starter);
    crew_wait(&crew.done, BYSTANDERS + 1);
    crew_stop(&crew);
}

Test(park, also_when_the_other_worker_parks_only_later, .timeout = 20)
{
    crew_start(&crew, 2);
    starter = (struct job){ .body = body_start_beside_a_busy_one };
    blocker = (struct job){ .body = body_block };
    crew_submit(&crew, &blocker);
    crew_wait(&blocker.begun, 1);
    crew_submit(&crew, &starter);
    crew_wait(&crew.done, BYSTANDERS + 1);
    crew_stop(&crew);
}

/* ---- what a long handler itself sent need not wait for its end either ---- */

static struct job sent[2];

static void body_send_and_hog(struct crew *of, struct thi_worker *worker, struct job *job)
{
    uint64_t rested;
    unsigned i;

    crew_wait_parked(of, 1);
    /* its first sleep is a short one; let it come to rest, so that only being appointed wakes it */
    rested = thi_clock_monotonic() + 4 * TH_SENTRY_NS;
    while (thi_clock_monotonic() < rested)
        sched_yield();
    for (i = 0; i < job->number; i++) {
        sent[i] = (struct job){ .body = body_count, .crew = of };
        thi_worker_submit(worker, &sent[i].task);
    }
    crew_wait(&of->done, job->number);
    job_over(job);
}

static void send_and_hog(unsigned count)
{
    crew_start(&crew, 2);
    hog = (struct job){ .body = body_send_and_hog, .number = count };
    crew_submit(&crew, &hog);
    crew_wait(&hog.over, 1);
    crew_stop(&crew);
}

Test(park, the_slot_of_a_long_handler_is_rescued, .timeout = 20)
{
    send_and_hog(1);
}

Test(park, so_are_the_slot_and_whom_it_displaced, .timeout = 20)
{
    send_and_hog(2);
}

/* ---- a slot that is filled while the sentry is on duty: nobody needs to be told ---- */

enum { FIRST = 16, MORE = 4, SENTRY_ON_DUTY = 2 };

static struct job lot[FIRST + MORE];

static void body_send_while_watched(struct crew *of, struct thi_worker *worker, struct job *job)
{
    unsigned i;

    crew_wait_parked(of, 1);
    for (i = 0; i < FIRST + MORE; i++) {
        /* the sentry takes half at a time, and comes back for the rest */
        while (i >= FIRST && atomic_load(&of->done) < i &&
               (atomic_load_explicit(&of->pool.watched, memory_order_relaxed) != SENTRY_ON_DUTY ||
                atomic_load_explicit(&worker->next, memory_order_relaxed)))
            sched_yield();
        lot[i] = (struct job){ .body = body_count, .crew = of };
        thi_worker_submit(worker, &lot[i].task);
    }
    crew_wait(&of->done, FIRST + MORE);
    job_over(job);
}

Test(park, a_sentry_on_duty_finds_what_comes_later, .timeout = 20)
{
    unsigned round;

    for (round = 0; round < 10; round++) {
        crew_start(&crew, 2);
        hog = (struct job){ .body = body_send_while_watched };
        crew_submit(&crew, &hog);
        crew_wait(&hog.over, 1);
        crew_stop(&crew);
    }
}

static void body_until_watched(struct crew *of, struct thi_worker *worker, struct job *job)
{
    crew_wait_parked(of, 1);
    lot[0] = (struct job){ .body = body_count, .crew = of };
    thi_worker_submit(worker, &lot[0].task);
    while (atomic_load(&of->pool.watched) != SENTRY_ON_DUTY && !atomic_load(&of->done))
        sched_yield();
    job_over(job);
}

Test(park, nobody_keeps_watch_when_nobody_runs, .timeout = 20)
{
    unsigned round;

    for (round = 0; round < 10; round++) {
        crew_start(&crew, 2);
        starter = (struct job){ .body = body_until_watched };
        crew_submit(&crew, &starter);
        crew_wait(&crew.done, 1);
        while (atomic_load(&crew.pool.running) || atomic_load(&crew.pool.watched))
            sched_yield();
        crew_stop(&crew);
    }
}

/* ---- who retires leaves what it has to the others, and wakes nobody ---- */

enum { LEFT = 3 };

static struct job retiree, other, left_behind[LEFT];
static _Atomic bool other_is_ready;

static void body_retire(struct crew *of, struct thi_worker *worker, struct job *job)
{
    unsigned i;

    while (!atomic_load(&other_is_ready))
        sched_yield();
    for (i = 0; i < LEFT; i++) {
        left_behind[i] = (struct job){ .body = body_count, .crew = of };
        thi_worker_requeue(worker, &left_behind[i].task); /* queues, and appoints no sentry */
    }
    thi_park_retire(worker);
    job_over(job);
}

/* In a long handler, as the only one that still runs, until the others' work is done. */
static void body_outlast(struct crew *of, struct thi_worker *worker, struct job *job)
{
    uint64_t rested;

    (void)worker;
    atomic_store(&other_is_ready, true);
    crew_wait_parked(of, 1);
    rested = thi_clock_monotonic() + 4 * TH_SENTRY_NS;
    while (thi_clock_monotonic() < rested)
        sched_yield();
    crew_wait(&of->done, LEFT);
    job_over(job);
}

/* The same in a blocking call, for the second time: its spare is on duty already, and sleeps. */
static void body_block_twice(struct crew *of, struct thi_worker *worker, struct job *job)
{
    thi_pool_blocking_begin(worker);
    crew_wait_parked(of, 1); /* the spare: only who is to retire runs */
    thi_pool_blocking_end(worker);
    atomic_store(&other_is_ready, true);
    crew_wait_parked(of, 1); /* the retiree, too: only we run */
    thi_pool_blocking_begin(worker);
    crew_wait(&of->done, LEFT);
    thi_pool_blocking_end(worker);
    job_over(job);
}

static void retire_beside(job_body *body)
{
    unsigned round;

    for (round = 0; round < 5; round++) {
        atomic_store(&other_is_ready, false);
        crew_start(&crew, 2);
        retiree = (struct job){ .body = body_retire };
        other = (struct job){ .body = body };
        crew_submit(&crew, &retiree);
        crew_wait(&retiree.begun, 1);
        crew_submit(&crew, &other);
        crew_wait(&other.over, 1);
        crew_stop(&crew);
    }
}

Test(park, what_a_retiree_leaves_to_a_long_handler_is_rescued, .timeout = 20)
{
    retire_beside(body_outlast);
}

Test(park, what_a_retiree_leaves_to_one_that_blocks_is_run, .timeout = 20)
{
    retire_beside(body_block_twice);
}
