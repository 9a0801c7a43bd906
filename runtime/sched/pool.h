/* runtime/sched/pool.h: the workers, their submission queue, and who sleeps. */
#ifndef THI_SCHED_POOL_H
#define THI_SCHED_POOL_H

#include "runtime/sched/benefit.h"
#include "runtime/sched/worker.h"
#include "runtime/base/cycles.h"
#include <thespis/error.h>
#include <thespis/status.h>

struct thi_pool_options {
    const char *name; /* threads are called name/0, name/1, ... */
    unsigned workers; /* 1 to TH_WORKERS_MAX */
    bool pin;
    bool sample; /* ops->run_sampled is to be used, now and then */
    uint64_t system;
    void *stage;
    struct thi_memory *memory;
    struct thi_depot *depot;
    const struct thi_task_ops *ops;
    thi_turn turn;           /* how turns are run to begin with; NULL: by ops->run */
    struct thi_trace *trace; /* or NULL */
};

enum { THI_POOL_WORDS = (TH_WORKERS_MAX + TH_SPARE_WORKERS_MAX + 63) / 64 };

struct thi_pool {
    struct thi_pool_options options;
    struct thi_cycle_rate rate;
    unsigned slots;              /* regular and spare workers there is room for */
    struct thi_worker **workers; /* options.workers regular ones, then spares as they are made */
    _Atomic unsigned made;       /* entries of `workers` that may be read */

    _Alignas(
        TH_CACHE_LINE) _Atomic(struct thi_task *) inject; /* stack of submissions, taken whole */
    _Alignas(TH_CACHE_LINE) _Atomic uint64_t idle[THI_POOL_WORDS]; /* a bit per parked worker */
    _Atomic uint32_t searching; /* workers that look for work before they park */
    _Alignas(TH_CACHE_LINE) _Atomic uint32_t running; /* not parked */
    _Atomic uint32_t watched;                         /* 1: a parked worker is the sentry */
    _Atomic(thi_turn) run;                            /* how turns are to be run */
    _Atomic bool stop;

    _Alignas(TH_CACHE_LINE) struct thi_benefit benefit;

    pthread_mutex_t lock; /* spares and own threads: made, lent, given back */
    unsigned spares_on_duty;
    _Atomic unsigned blocked;
    struct thi_worker *spares_off; /* linked by own_next */
    struct thi_worker *owns;       /* linked by own_next */
    _Atomic unsigned own_count;
    unsigned own_made; /* ever; under the lock */
    /* the sums of workers that are no more; under the lock, and all there is after stop */
    struct thi_stats ended;
    struct thi_samples ended_samples;
};

/* Starts the threads. On error nothing is left running. @pool must stay where it is. */
TH_NODISCARD th_err thi_pool_start(struct thi_pool *pool, const struct thi_pool_options *options);

/* Stops and joins all threads. Nothing may be submitted any more; tasks still queued are simply
 * forgotten. Must not be called from a worker. */
void thi_pool_stop(struct thi_pool *pool);

/* From any thread that is no worker of this pool: queues @task and wakes a worker if none is
 * looking. */
void thi_pool_submit(struct thi_pool *pool, struct thi_task *task);

/* The same, but wakes nobody. */
void thi_pool_push(struct thi_pool *pool, struct thi_task *task);

/* Lends a spare for @worker, whose thread is about to block; its queue goes to the others. */
void thi_pool_blocking_begin(struct thi_worker *worker);
void thi_pool_blocking_end(struct thi_worker *worker);

/* A thread that runs only @task, from now until thi_pool_own_end() is called on it, in a turn. */
TH_NODISCARD th_err thi_pool_own_begin(struct thi_pool *pool, struct thi_task *task,
                                       struct thi_worker **worker_out);
/* From any thread: the one task of @worker has something to do. */
void thi_pool_own_wake(struct thi_worker *worker);
/* From the task's last turn. The thread ends when the turn returns. */
void thi_pool_own_end(struct thi_worker *worker);

/* Its task will never run: the thread ends. From any thread. */
void thi_pool_own_abandon(struct thi_worker *worker);

/* From now on turns are run by @run: a worker learns it at its next look around, in a few
 * microseconds or, from a long handler, when that is done. From any thread. */
void thi_pool_set_turn(struct thi_pool *pool, thi_turn run);

/* Calls @each for every worker that ever ran, to sum statistics. Workers are never freed before the
 * pool stops. */
void thi_pool_each(struct thi_pool *pool, void (*each)(void *context, struct thi_worker *worker),
                   void *context);
/* Adds up the counters of all workers that ever ran. */
void thi_pool_stats(struct thi_pool *pool, uint64_t totals[THI_STAT_COUNT]);
/* The same for their histograms, into @sum, which nobody else writes. */
void thi_pool_samples(struct thi_pool *pool, struct thi_samples *sum);
void thi_pool_status(struct thi_pool *pool, th_pool_status *status_out);

/* ---- between pool.c, worker.c, runq.c and park.c ---- */

/* runq.c */
bool thi_runq_init(struct thi_worker *worker, struct thi_memory *memory);
void thi_runq_fini(struct thi_worker *worker, struct thi_memory *memory);
struct thi_task *thi_runq_take(struct thi_worker *worker); /* next, ring, backlog, submissions */
bool thi_runq_steal(struct thi_worker *thief, struct thi_worker *victim, bool with_next);
bool thi_runq_has_work(struct thi_worker *worker); /* anything another could take */
uint64_t thi_runq_length(struct thi_worker *worker);
bool thi_runq_adopt_submissions(struct thi_worker *worker); /* submissions to this worker's queue */
void thi_runq_spill(struct thi_worker *worker, /* everything, by thi_pool_submit() or _push() */
                    void (*submit)(struct thi_pool *pool, struct thi_task *task));

/* park.c */
void thi_park(struct thi_worker *worker); /* returns when there may be work, or on stop */
void thi_park_retire(
    struct thi_worker *worker); /* the same, having handed its queue to the others */
/* The caller no longer runs, though it does not park: what was left to it goes to somebody else. */
void thi_park_count_out(struct thi_pool *pool);
bool thi_park_wake_one(struct thi_pool *pool);
void thi_park_wake(struct thi_worker *worker);
void thi_park_watch(struct thi_pool *pool); /* appoints a sentry, if anybody is parked */

/* worker.c */
th_err thi_worker_init(struct thi_worker *worker, struct thi_pool *pool, enum thi_worker_kind kind,
                       unsigned index);
void thi_worker_fini(struct thi_worker *worker);
void *thi_worker_main(void *worker);     /* regular and spare */
void *thi_worker_main_own(void *worker); /* own */

/* pool.c: a spare that nobody needs leaves duty, and comes back when it is needed (false: the pool
 * stops). */
bool thi_pool_spare_rest(struct thi_worker *spare);

#endif
