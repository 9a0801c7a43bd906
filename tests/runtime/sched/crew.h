/* crew.h: a pool whose tasks are the tests' own, without an actor in sight. */
#ifndef TESTS_SCHED_CREW_H
#define TESTS_SCHED_CREW_H

#include <criterion/criterion.h>

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sched/pool.h"

struct job;
struct crew;
typedef void job_body(struct crew *crew, struct thi_worker *worker, struct job *job);

/* What is not atomic is plain on purpose: ThreadSanitizer sees two turns that nothing orders. */
struct job {
    struct thi_task task; /* first */
    job_body *body;
    struct crew *crew;
    bool is_running;
    unsigned turns;               /* so far */
    unsigned left;                /* for bodies that repeat themselves */
    unsigned number;              /* for bodies that are one of many */
    _Atomic unsigned begun, over; /* turns, for whoever waits */
};

struct crew {
    struct thi_memory memory;
    struct thi_depot depot;
    struct thi_pool pool;
    _Atomic unsigned done; /* bodies count here what the test waits for */
    _Atomic bool go;
    _Atomic unsigned begun, ended;
    void (*brink)(struct crew *crew, struct thi_worker *worker); /* it found nothing, and parks */
};

TH_UNUSED static void crew_run(struct thi_worker *worker, struct thi_task *task)
{
    struct job *job = (struct job *)(void *)task;

    cr_assert_not(job->is_running, "two workers run one task");
    job->is_running = true;
    job->turns++;
    atomic_fetch_add_explicit(&job->begun, 1, memory_order_relaxed);
    job->body(job->crew, worker, job);
}

/* The last a body does with its job, unless it queues it again. */
TH_UNUSED static void job_over(struct job *job)
{
    job->is_running = false;
    /* release: who submits it again has seen this turn, as a push has that ends a sleep */
    atomic_fetch_add_explicit(&job->over, 1, memory_order_release);
}

TH_UNUSED static void crew_worker_begin(struct thi_worker *worker)
{
    atomic_fetch_add(&((struct crew *)worker->stage)->begun, 1);
}

TH_UNUSED static void crew_worker_end(struct thi_worker *worker)
{
    atomic_fetch_add(&((struct crew *)worker->stage)->ended, 1);
}

TH_UNUSED static void crew_worker_idle(struct thi_worker *worker)
{
    struct crew *crew = worker->stage;

    if (crew->brink)
        crew->brink(crew, worker);
}

static const struct thi_task_ops crew_ops = { .run = crew_run,
                                              .worker_begin = crew_worker_begin,
                                              .worker_end = crew_worker_end,
                                              .worker_idle = crew_worker_idle };

TH_UNUSED static void crew_start_with(struct crew *crew, unsigned workers,
                                      void (*brink)(struct crew *crew, struct thi_worker *worker))
{
    struct thi_pool_options options = { .name = "crew",
                                        .workers = workers,
                                        .system = 1,
                                        .stage = crew,
                                        .memory = &crew->memory,
                                        .depot = &crew->depot,
                                        .ops = &crew_ops };

    memset(crew, 0, sizeof(*crew));
    crew->brink = brink;
    cr_assert_eq(thi_memory_init(&crew->memory, NULL, 0), TH_OK);
    thi_depot_init(&crew->depot, &crew->memory);
    cr_assert_eq(thi_pool_start(&crew->pool, &options), TH_OK);
}

TH_UNUSED static void crew_start(struct crew *crew, unsigned workers)
{
    crew_start_with(crew, workers, NULL);
}

/* Everything must be back. */
TH_UNUSED static void crew_stop(struct crew *crew)
{
    thi_pool_stop(&crew->pool);
    cr_assert_eq(atomic_load(&crew->begun), atomic_load(&crew->ended));
    cr_assert_eq(thi_depot_fini(&crew->depot), 0, "blocks are still out");
    cr_assert_eq(thi_memory_fini(&crew->memory), 0, "bytes are still out");
}

TH_UNUSED static void crew_submit(struct crew *crew, struct job *job)
{
    job->crew = crew;
    thi_pool_submit(&crew->pool, &job->task);
}

TH_UNUSED static void crew_wait(_Atomic unsigned *count, unsigned wanted)
{
    while (atomic_load_explicit(count, memory_order_acquire) < wanted)
        sched_yield();
}

/* Until @most workers at most are not parked. */
TH_UNUSED static void crew_wait_parked(struct crew *crew, unsigned most)
{
    while (atomic_load(&crew->pool.running) > most)
        sched_yield();
}

TH_UNUSED static void body_count(struct crew *crew, struct thi_worker *worker, struct job *job)
{
    (void)worker;
    job_over(job);
    atomic_fetch_add(&crew->done, 1);
}

#endif
