/* The workers: start, submit, stop; spares for the blocked, own threads for who wants one. */
#include "crew.h"

#include <pthread.h>

static struct crew crew;

/* ---- submissions ---- */

enum { OUTSIDERS = 3, ROUNDS = 3000 };

/* Each has a job of its own that it submits again as soon as it has run. */
static void *submit_rounds(void *context)
{
    struct job *job = context;
    unsigned i;

    for (i = 1; i <= ROUNDS; i++) {
        crew_submit(&crew, job);
        crew_wait(&job->over, i);
        cr_assert_eq(job->turns, i, "one submission, one turn");
    }
    return NULL;
}

static void outsiders_on(unsigned workers)
{
    static struct job jobs[OUTSIDERS];
    pthread_t threads[OUTSIDERS];
    int i;

    memset(jobs, 0, sizeof(jobs));
    crew_start(&crew, workers);
    for (i = 0; i < OUTSIDERS; i++) {
        jobs[i].body = body_count;
        cr_assert_eq(pthread_create(&threads[i], NULL, submit_rounds, &jobs[i]), 0);
    }
    for (i = 0; i < OUTSIDERS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    crew_stop(&crew);
    cr_assert_eq(atomic_load(&crew.done), OUTSIDERS * ROUNDS);
}

Test(pool, one_worker_runs_each_submission_once, .timeout = 60)
{
    outsiders_on(1);
}

Test(pool, three_workers_run_each_submission_once, .timeout = 60)
{
    outsiders_on(3);
}

static void body_wait_for_go(struct crew *of, struct thi_worker *worker, struct job *job)
{
    (void)worker;
    while (!atomic_load(&of->go))
        sched_yield();
    job_over(job);
}

static unsigned order[4096];

static void body_note_order(struct crew *of, struct thi_worker *worker, struct job *job)
{
    (void)worker;
    order[atomic_load(&of->done)] = job->number;
    job_over(job);
    atomic_fetch_add(&of->done, 1);
}

Test(pool, submissions_run_in_their_order, .timeout = 60)
{
    enum { JOBS = 700 };
    static struct job first = { .body = body_wait_for_go }, jobs[JOBS];
    unsigned i;

    crew_start(&crew, 1);
    crew_submit(&crew, &first);
    crew_wait(&first.begun, 1);
    for (i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){ .body = body_note_order, .number = i };
        crew_submit(&crew, &jobs[i]);
    }
    atomic_store(&crew.go, true);
    crew_wait(&crew.done, JOBS);
    for (i = 0; i < JOBS; i++)
        cr_assert_eq(order[i], i);
    crew_stop(&crew);
}

Test(pool, stops_with_work_on_its_way, .timeout = 60)
{
    static struct job jobs[8];
    unsigned round, i;

    for (round = 0; round < 200; round++) {
        crew_start(&crew, 1 + round % 4);
        for (i = 0; i < round % 8; i++) {
            jobs[i] = (struct job){ .body = body_count };
            crew_submit(&crew, &jobs[i]);
        }
        if (round % 16 == 0)
            crew_wait_parked(&crew, 0);
        crew_stop(&crew);
    }
}

/* ---- what tasks queue themselves ---- */

static void body_again(struct crew *of, struct thi_worker *worker, struct job *job)
{
    if (--job->left > 0) {
        job->is_running = false;
        thi_worker_requeue(worker, &job->task);
        return;
    }
    job_over(job);
    atomic_fetch_add(&of->done, 1);
}

Test(pool, a_task_that_goes_on_is_run_by_one_worker_at_a_time, .timeout = 60)
{
    enum { JOBS = 300, TURNS = 300 };
    static struct job jobs[JOBS];
    unsigned i;

    crew_start(&crew, 4);
    for (i = 0; i < JOBS; i++) {
        jobs[i] = (struct job){ .body = body_again, .left = TURNS };
        crew_submit(&crew, &jobs[i]);
    }
    crew_wait(&crew.done, JOBS);
    for (i = 0; i < JOBS; i++)
        cr_assert_eq(jobs[i].turns, TURNS);
    crew_stop(&crew);
}

enum { MANY = 3 * TH_RING_SIZE, LATER = 64 };

static struct job many[MANY + LATER];

/* The first few queue one more each, while there are tasks beside the ring. */
static void body_queue_one_more(struct crew *of, struct thi_worker *worker, struct job *job)
{
    if (job->number < LATER)
        thi_worker_requeue(worker, &many[MANY + job->number].task);
    body_note_order(of, worker, job);
}

static void body_queue_many(struct crew *of, struct thi_worker *worker, struct job *job)
{
    unsigned i;

    (void)of;
    for (i = 0; i < MANY; i++)
        thi_worker_requeue(worker, &many[i].task);
    job_over(job);
}

Test(pool, more_than_the_ring_holds_waits_in_order, .timeout = 60)
{
    static struct job starter = { .body = body_queue_many };
    unsigned i;

    cr_assert_leq(MANY + LATER, sizeof(order) / sizeof(order[0]));
    crew_start(&crew, 1);
    for (i = 0; i < MANY + LATER; i++)
        many[i] = (struct job){ .body = body_queue_one_more, .crew = &crew, .number = i };
    crew_submit(&crew, &starter);
    crew_wait(&crew.done, MANY + LATER);
    for (i = 0; i < MANY + LATER; i++)
        cr_assert_eq(order[i], i);
    crew_stop(&crew);
}

static struct job pair[2];

static void body_talk(struct crew *of, struct thi_worker *worker, struct job *job)
{
    bool is_over = atomic_load(&of->go);

    job_over(job);
    if (!is_over)
        thi_worker_submit(worker, &pair[!job->number].task);
    atomic_fetch_add(&of->done, is_over);
}

static void body_end_talk(struct crew *of, struct thi_worker *worker, struct job *job)
{
    (void)worker;
    job_over(job);
    atomic_store(&of->go, true);
}

Test(pool, a_conversation_does_not_starve_the_rest, .timeout = 20)
{
    static struct job bystander = { .body = body_end_talk };
    unsigned i;

    crew_start(&crew, 1);
    for (i = 0; i < 2; i++)
        pair[i] = (struct job){ .body = body_talk, .crew = &crew, .number = i };
    crew_submit(&crew, &pair[0]);
    crew_wait(&pair[1].begun, 100);
    crew_submit(&crew, &bystander);
    crew_wait(&crew.done, 1);
    crew_stop(&crew);
}

/* ---- blocking calls ---- */

static struct job behind[4];

static void body_block(struct crew *of, struct thi_worker *worker, struct job *job)
{
    unsigned i;

    for (i = 0; i < 4; i++) {
        behind[i] = (struct job){ .body = body_count, .crew = of };
        thi_worker_submit(worker, &behind[i].task);
    }
    thi_pool_blocking_begin(worker);
    crew_wait(&of->done, 4 + 1); /* those behind, and one more from outside */
    thi_pool_blocking_end(worker);
    job_over(job);
}

static void block_on(unsigned workers)
{
    struct job blocked, late;
    unsigned round;
    th_pool_status status;

    crew_start(&crew, workers);
    for (round = 0; round < 50; round++) {
        atomic_store(&crew.done, 0);
        blocked = (struct job){ .body = body_block };
        late = (struct job){ .body = body_count };
        crew_submit(&crew, &blocked);
        crew_wait(&blocked.begun, 1);
        crew_submit(&crew, &late);
        crew_wait(&blocked.over, 1);
    }
    thi_pool_status(&crew.pool, &status);
    cr_assert_eq(status.blocked, 0);
    cr_assert_leq(status.spares, 1, "the spare of the last time serves again");
    crew_stop(&crew);
}

Test(pool, a_blocked_worker_is_stood_in_for, .timeout = 60)
{
    block_on(1);
}

Test(pool, a_blocked_worker_of_three_is_stood_in_for, .timeout = 60)
{
    block_on(3);
}

/* ---- threads of their own ---- */

static struct thi_worker *own;

static void body_own(struct crew *of, struct thi_worker *worker, struct job *job)
{
    bool is_last = job->number == 0;

    cr_assert_eq(worker, own);
    if (is_last)
        thi_pool_own_end(worker);
    job_over(job);
    atomic_fetch_add(&of->done, is_last);
}

Test(pool, a_thread_of_its_own_runs_its_task_only, .timeout = 60)
{
    static struct job job, other;
    unsigned i;

    crew_start(&crew, 2);
    job = (struct job){ .body = body_own, .crew = &crew };
    other = (struct job){ .body = body_count };
    cr_assert_eq(thi_pool_own_begin(&crew.pool, &job.task, &own), TH_OK);
    for (i = 1; i <= 500; i++) {
        job.number = i < 500 ? i : 0;
        thi_pool_own_wake(own);
        crew_wait(&job.over, i);
    }
    cr_assert_eq(job.turns, 500);
    crew_wait(&crew.done, 1);
    crew_submit(&crew, &other);
    crew_wait(&crew.done, 2);
    crew_stop(&crew);
}

Test(pool, a_thread_whose_task_never_ran_ends_too, .timeout = 20)
{
    static struct job job = { .body = body_count };

    crew_start(&crew, 1);
    cr_assert_eq(thi_pool_own_begin(&crew.pool, &job.task, &own), TH_OK);
    thi_pool_own_abandon(own);
    crew_stop(&crew);
    cr_assert_eq(job.turns, 0);
}
