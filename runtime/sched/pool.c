/* runtime/sched/pool.c: the workers: start, submit, stop; spares for the blocked, threads for those
 * that want their own. */
#include "runtime/sched/pool.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/futex.h"
#include "runtime/base/reclaim.h"
#include "runtime/base/thread.h"
#include <thespis/assert.h>

/* ---- making workers ---- */

static void pin(struct thi_worker *worker)
{
    cpu_set_t allowed, one;
    int nth = (int)worker->index;

    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || CPU_COUNT(&allowed) == 0)
        return;
    nth %= CPU_COUNT(&allowed);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || nth-- > 0)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        /* a refusal costs speed only */
        (void)pthread_setaffinity_np(worker->thread, sizeof(one), &one);
        return;
    }
}

static void free_worker(struct thi_pool *pool, struct thi_worker *worker)
{
    thi_worker_fini(worker);
    thi_memory_give(pool->options.memory, worker, sizeof(*worker));
}

/* A worker and its thread. NULL with *@err_out: out of memory or threads. */
static struct thi_worker *make_worker(struct thi_pool *pool, enum thi_worker_kind kind,
                                      unsigned index, struct thi_task *own_task, th_err *err_out)
{
    struct thi_worker *worker = thi_memory_take(pool->options.memory, sizeof(*worker));
    char name[32]; /* the thread keeps the first 15 bytes */

    *err_out = TH_E_NOMEM;
    if (!worker)
        return NULL;
    *err_out = thi_worker_init(worker, pool, kind, index);
    if (*err_out) {
        thi_memory_give(pool->options.memory, worker, sizeof(*worker));
        return NULL;
    }
    worker->own_task = own_task;
    snprintf(name, sizeof(name), "%.9s/%s%u", pool->options.name,
             kind == THI_WORKER_OWN ? "own" : "", index % 1000);
    if (kind != THI_WORKER_OWN) {
        pool->workers[index] = worker;
        /* seq_cst: before it can park; see end_watch() of park.c */
        atomic_fetch_add_explicit(&pool->running, 1, memory_order_seq_cst);
    }
    *err_out =
        thi_thread_start(&worker->thread, name,
                         kind == THI_WORKER_OWN ? thi_worker_main_own : thi_worker_main, worker);
    if (*err_out) {
        if (kind != THI_WORKER_OWN)
            atomic_fetch_sub_explicit(&pool->running, 1, memory_order_seq_cst);
        free_worker(pool, worker);
        return NULL;
    }
    if (kind != THI_WORKER_OWN)
        /* release: publishes the worker; pairs with the acquires in park.c and worker.c */
        atomic_store_explicit(&pool->made, index + 1, memory_order_release);
    if (pool->options.pin && kind == THI_WORKER_REGULAR)
        pin(worker);
    return worker;
}

th_err thi_pool_start(struct thi_pool *pool, const struct thi_pool_options *options)
{
    th_err err = TH_OK;

    memset(pool, 0, sizeof(*pool));
    pool->options = *options;
    pool->slots = options->workers + TH_SPARE_WORKERS_MAX;
    pool->workers = thi_memory_take(options->memory, pool->slots * sizeof(*pool->workers));
    if (!pool->workers)
        return TH_E_NOMEM;
    thi_cycle_rate_measure(&pool->rate);
    thi_benefit_init(&pool->benefit);
    thi_pool_set_turn(pool, options->turn ? options->turn : options->ops->run);
    pthread_mutex_init(&pool->lock, NULL);
    for (unsigned i = 0; i < options->workers && !err; i++)
        make_worker(pool, THI_WORKER_REGULAR, i, NULL, &err);
    if (err)
        thi_pool_stop(pool);
    return err;
}

void thi_pool_set_turn(struct thi_pool *pool, thi_turn run)
{
    /* relaxed: what a turn of that kind needs, its floor publishes for itself */
    atomic_store_explicit(&pool->run, run, memory_order_relaxed);
}

/* ---- submissions ---- */

void thi_pool_push(struct thi_pool *pool, struct thi_task *task)
{
    /* relaxed: the exchange below decides */
    struct thi_task *top = atomic_load_explicit(&pool->inject, memory_order_relaxed);

    do
        task->next = top;
    /* seq_cst: P1 of park.c; it releases the task, too: pairs with the acquire in
     * thi_runq_adopt_submissions() */
    while (!atomic_compare_exchange_weak_explicit(&pool->inject, &top, task, memory_order_seq_cst,
                                                  memory_order_relaxed));
}

void thi_pool_submit(struct thi_pool *pool, struct thi_task *task)
{
    thi_pool_push(pool, task);
    /* seq_cst: P1 of park.c */
    if (atomic_load_explicit(&pool->searching, memory_order_seq_cst) == 0)
        thi_park_wake_one(pool);
}

/* ---- spares ---- */

void thi_pool_blocking_begin(struct thi_worker *worker)
{
    struct thi_pool *pool = worker->pool;
    struct thi_worker *spare = NULL;

    if (worker->kind == THI_WORKER_OWN || worker->kind == THI_WORKER_STEP)
        return;
    /* relaxed: read by us, and shown by status */
    atomic_store_explicit(&worker->is_blocking, true, memory_order_relaxed);
    thi_worker_heed(worker, THI_HEED_BLOCKING, true);
    worker->alone = false; /* Q1 of runq.c: from here on others may take from us */
    pool->options.ops->worker_idle(worker);
    pthread_mutex_lock(&pool->lock);
    /* relaxed: written under the lock, read as a hint */
    atomic_fetch_add_explicit(&pool->blocked, 1, memory_order_relaxed);
    if (pool->spares_on_duty < atomic_load_explicit(&pool->blocked, memory_order_relaxed)) {
        unsigned made = atomic_load_explicit(&pool->made, memory_order_relaxed);
        th_err err;

        if ((spare = pool->spares_off)) {
            pool->spares_off = spare->own_next;
            pool->spares_on_duty++;
        } else if (made < pool->slots && make_worker(pool, THI_WORKER_SPARE, made, NULL, &err)) {
            pool->spares_on_duty++;
        }
    }
    pthread_mutex_unlock(&pool->lock);
    if (spare)
        thi_park_wake(spare);
    thi_runq_spill(worker, thi_pool_submit);
    thi_reclaim_offline();
    thi_park_count_out(pool);
}

void thi_pool_blocking_end(struct thi_worker *worker)
{
    struct thi_pool *pool = worker->pool;

    if (worker->kind == THI_WORKER_OWN || worker->kind == THI_WORKER_STEP)
        return;
    atomic_store_explicit(&worker->is_blocking, false, memory_order_relaxed); /* as above */
    thi_worker_heed(worker, THI_HEED_BLOCKING, false);
    /* seq_cst: as above */
    atomic_fetch_add_explicit(&pool->running, 1, memory_order_seq_cst);
    thi_reclaim_online();
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_sub_explicit(&pool->blocked, 1, memory_order_relaxed); /* as above */
    pthread_mutex_unlock(&pool->lock);
}

bool thi_pool_spare_rest(struct thi_worker *spare)
{
    struct thi_pool *pool = spare->pool;
    bool rests = false;

    pthread_mutex_lock(&pool->lock);
    /* relaxed: written under the lock */
    if (pool->spares_on_duty > atomic_load_explicit(&pool->blocked, memory_order_relaxed) &&
        !atomic_load_explicit(&pool->stop, memory_order_relaxed)) {
        pool->spares_on_duty--;
        spare->own_next = pool->spares_off;
        pool->spares_off = spare;
        rests = true;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!rests)
        return !atomic_load_explicit(&pool->stop, memory_order_relaxed); /* as above */
    pool->options.ops->worker_idle(spare);
    thi_runq_spill(spare, thi_pool_submit);
    thi_reclaim_offline();
    thi_park_count_out(pool);
    thi_worker_rest_begin(spare);
    /* acquire: pairs with the release in thi_park_wake() */
    while (!atomic_exchange_explicit(&spare->word, 0, memory_order_acquire))
        thi_futex_wait(&spare->word, 0, UINT64_MAX);
    thi_worker_rest_end(spare);
    atomic_fetch_add_explicit(&pool->running, 1, memory_order_seq_cst); /* end_watch() of park.c */
    thi_reclaim_online();
    return !atomic_load_explicit(&pool->stop,
                                 memory_order_relaxed); /* thi_park_wake() carried it */
}

/* ---- threads of their own ---- */

/* Frees a worker whose thread has ended; its figures stay. */
static void end_worker(struct thi_pool *pool, struct thi_worker *worker)
{
    for (unsigned i = 0; i < THI_STAT_COUNT; i++)
        thi_stats_add(&pool->ended, i, thi_stats_get(&worker->stats, i));
    if (worker->samples)
        thi_samples_merge(&pool->ended_samples, worker->samples);
    free_worker(pool, worker);
}

/* Joins and frees those that have ended. Under the lock. */
static void reap_owns(struct thi_pool *pool, bool all)
{
    struct thi_worker **link = &pool->owns, *worker;

    while ((worker = *link)) {
        /* acquire: its last writes; pairs with the end of thi_worker_main_own() */
        if (!all && !atomic_load_explicit(&worker->own_done, memory_order_acquire)) {
            link = &worker->own_next;
            continue;
        }
        *link = worker->own_next;
        pthread_join(worker->thread, NULL);
        end_worker(pool, worker);
        /* relaxed: a figure for status */
        atomic_fetch_sub_explicit(&pool->own_count, 1, memory_order_relaxed);
    }
}

th_err thi_pool_own_begin(struct thi_pool *pool, struct thi_task *task,
                          struct thi_worker **worker_out)
{
    struct thi_worker *worker;
    th_err err;

    pthread_mutex_lock(&pool->lock);
    reap_owns(pool, false);
    worker = make_worker(pool, THI_WORKER_OWN,
                         atomic_load_explicit(&pool->own_count, memory_order_relaxed), task, &err);
    if (worker) {
        worker->own_next = pool->owns;
        pool->owns = worker;
        atomic_fetch_add_explicit(&pool->own_count, 1, memory_order_relaxed); /* as above */
        err = TH_OK;
    }
    *worker_out = worker;
    pthread_mutex_unlock(&pool->lock);
    return err;
}

void thi_pool_own_wake(struct thi_worker *worker)
{
    thi_park_wake(worker);
}

void thi_pool_own_end(struct thi_worker *worker)
{
    worker->own_task = NULL;
}

void thi_pool_own_abandon(struct thi_worker *worker)
{
    /* release: the thread looks at it after its word; pairs with the loop of
     * thi_worker_main_own() */
    atomic_store_explicit(&worker->own_abandoned, true, memory_order_release);
    thi_park_wake(worker);
}

/* ---- the end, and status ---- */

void thi_pool_stop(struct thi_pool *pool)
{
    /* acquire: the workers themselves */
    unsigned made = atomic_load_explicit(&pool->made, memory_order_acquire);
    struct thi_memory *memory = pool->options.memory;

    pthread_mutex_lock(&pool->lock);
    /* seq_cst: P1 of park.c: who does not see it has not looked at its word yet */
    atomic_store_explicit(&pool->stop, true, memory_order_seq_cst);
    pool->spares_off = NULL;
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < made; i++)
        thi_park_wake(pool->workers[i]);
    for (unsigned i = 0; i < made; i++)
        pthread_join(pool->workers[i]->thread, NULL);
    reap_owns(pool, true);
    for (unsigned i = 0; i < made; i++)
        end_worker(pool, pool->workers[i]);
    /* relaxed: no other thread is left */
    atomic_store_explicit(&pool->made, 0, memory_order_relaxed);
    thi_memory_give(memory, pool->workers, pool->slots * sizeof(*pool->workers));
    pool->workers = NULL;
    pthread_mutex_destroy(&pool->lock);
}

void thi_pool_each(struct thi_pool *pool, void (*each)(void *context, struct thi_worker *worker),
                   void *context)
{
    pthread_mutex_lock(&pool->lock);
    /* acquire: the workers themselves */
    for (unsigned i = 0; i < atomic_load_explicit(&pool->made, memory_order_acquire); i++)
        each(context, pool->workers[i]);
    for (struct thi_worker *worker = pool->owns; worker; worker = worker->own_next)
        each(context, worker);
    pthread_mutex_unlock(&pool->lock);
}

void thi_pool_stats(struct thi_pool *pool, uint64_t totals[THI_STAT_COUNT])
{
    pthread_mutex_lock(&pool->lock);
    /* acquire: the workers themselves */
    for (unsigned i = 0; i < atomic_load_explicit(&pool->made, memory_order_acquire); i++)
        thi_stats_sum(&pool->workers[i]->stats, totals);
    for (struct thi_worker *worker = pool->owns; worker; worker = worker->own_next)
        thi_stats_sum(&worker->stats, totals);
    thi_stats_sum(&pool->ended, totals);
    pthread_mutex_unlock(&pool->lock);
}

void thi_pool_samples(struct thi_pool *pool, struct thi_samples *sum)
{
    pthread_mutex_lock(&pool->lock);
    /* acquire: the workers themselves */
    for (unsigned i = 0; i < atomic_load_explicit(&pool->made, memory_order_acquire); i++)
        if (pool->workers[i]->samples)
            thi_samples_merge(sum, pool->workers[i]->samples);
    for (struct thi_worker *worker = pool->owns; worker; worker = worker->own_next)
        if (worker->samples)
            thi_samples_merge(sum, worker->samples);
    thi_samples_merge(sum, &pool->ended_samples);
    pthread_mutex_unlock(&pool->lock);
}

void thi_pool_status(struct thi_pool *pool, th_pool_status *status_out)
{
    uint64_t totals[THI_STAT_COUNT] = { 0 };

    thi_pool_stats(pool, totals);
    pthread_mutex_lock(&pool->lock);
    /* relaxed, all: figures */
    *status_out = (th_pool_status){
        .workers = pool->options.workers,
        .running = atomic_load_explicit(&pool->running, memory_order_relaxed),
        .blocked = atomic_load_explicit(&pool->blocked, memory_order_relaxed),
        .spares = atomic_load_explicit(&pool->made, memory_order_relaxed) - pool->options.workers,
        .own_threads = atomic_load_explicit(&pool->own_count, memory_order_relaxed),
        .turns = totals[THI_STAT_TURNS],
        .steals = totals[THI_STAT_STEALS],
        .parks = totals[THI_STAT_PARKS],
        .wakes = totals[THI_STAT_WAKES],
        .rescues = totals[THI_STAT_RESCUES],
    };
    pthread_mutex_unlock(&pool->lock);
}
