/* Sleep and wake, no wake-up lost, and the sentry. */
#include "crew.h"

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
    thi_pool_status(&crew.pool, &status);
    cr_assert_eq(status.running, 0);
    cr_assert_geq(status.parks, 4);
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
    unsigned i;

    crew_wait_parked(of, 1);
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
