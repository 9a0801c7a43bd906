/* runtime/sched/worker.c: take, run a turn, look around now and then, steal, park.
 *
 * Who wakes whom. Pushing wakes nobody: a second worker costs a wake-up (15 to 40 us) and then a
 * cache line per message, and most work is done sooner here. Instead a worker looks around every
 * few microseconds and estimates the work that waits in its queue (its length times the smoothed
 * length of a turn, smoothed again); past TH_WAKE_PRESSURE_NS it wakes one other, which takes half.
 * Whether the other then helps is measured (benefit.h). A sample is capped at twice the average: a
 * page fault or a stolen processor must not look like work. Measurements are in
 * docs/internals/scheduling.md. */
#include "runtime/sched/pool.h"

#include "runtime/base/clock.h"
#include "runtime/base/futex.h"
#include "runtime/base/reclaim.h"
#include "runtime/sched/step.h"
#include <thespis/assert.h>

/* A sample costs some 200 ns, so one in 16 looks is a third of a percent. */
enum { LOOK_EVERY_NS = 4000, SAMPLE_EVERY = 16 };

/* How turns are run now. */
static void refresh(struct thi_worker *worker)
{
    /* relaxed: see thi_pool_set_turn() */
    worker->run = atomic_load_explicit(&worker->pool->run, memory_order_relaxed);
}

/* The next turn is to be measured, in one of SAMPLE_EVERY looks, by chance: what happens at every
 * so many turns must not hide from it, or be all there is. */
static void pick_sample(struct thi_worker *worker)
{
    if (worker->samples && thi_random_below(&worker->random, SAMPLE_EVERY) == 0)
        worker->run = worker->pool->options.ops->run_sampled;
}

th_err thi_worker_init(struct thi_worker *worker, struct thi_pool *pool, enum thi_worker_kind kind,
                       unsigned index)
{
    worker->pool = pool;
    worker->stage = pool->options.stage;
    worker->system = pool->options.system;
    worker->kind = kind;
    worker->index = index;
    worker->trace = pool->options.trace;
    worker->track =
        kind == THI_WORKER_OWN ? THI_TRACK_OWN + pool->own_made++ : THI_TRACK_WORKERS + index;
    worker->alone = kind == THI_WORKER_REGULAR && pool->options.workers == 1;
    worker->check_every = worker->check_turns = 1;
    worker->began_ns = thi_clock_monotonic();
    refresh(worker);
    thi_random_init(&worker->random, thi_random_fresh());
    if (pool->options.sample &&
        !(worker->samples = thi_memory_take(pool->options.memory, sizeof(*worker->samples))))
        return TH_E_NOMEM;
    thi_heap_init(&worker->heap, pool->options.memory, pool->options.depot);
    if (kind != THI_WORKER_OWN && !thi_runq_init(worker, pool->options.memory)) {
        thi_heap_fini(&worker->heap);
        if (worker->samples)
            thi_memory_give(pool->options.memory, worker->samples, sizeof(*worker->samples));
        return TH_E_NOMEM;
    }
    return TH_OK;
}

void thi_worker_fini(struct thi_worker *worker)
{
    if (worker->slots)
        thi_runq_fini(worker, worker->pool->options.memory);
    if (worker->samples)
        thi_memory_give(worker->pool->options.memory, worker->samples, sizeof(*worker->samples));
    if (worker->trace)
        thi_trace_leave(worker->trace, worker->traced);
    thi_heap_fini(&worker->heap);
}

void thi_worker_record(struct thi_worker *worker, enum thi_trace_kind kind, uint64_t at,
                       uint64_t number)
{
    struct thi_trace_event event = {
        .kind = kind,
        .at = at ? at : thi_cycles(),
        .until = thi_cycles(),
        .number = number,
        .track = worker->track,
    };

    thi_trace_put(worker->trace, &worker->traced, &event);
}

void thi_worker_rest_begin(struct thi_worker *worker)
{
    /* relaxed, here and below: a figure for status */
    atomic_store_explicit(&worker->rest_since_ns, thi_clock_monotonic(), memory_order_relaxed);
}

void thi_worker_rest_end(struct thi_worker *worker)
{
    uint64_t since = atomic_load_explicit(&worker->rest_since_ns, memory_order_relaxed);

    thi_stats_add(&worker->stats, THI_STAT_REST_NS, thi_clock_monotonic() - since);
    atomic_store_explicit(&worker->rest_since_ns, 0, memory_order_relaxed);
}

void thi_worker_watch(struct thi_worker *worker)
{
    struct thi_pool *pool = worker->pool;

    /* seq_cst: pairs with end_watch() of park.c */
    if (worker->alone || atomic_load_explicit(&pool->watched, memory_order_seq_cst) != 0)
        return;
    for (unsigned w = 0; w < THI_POOL_WORDS; w++)
        /* relaxed: a hint; thi_park_wake_one() looks properly */
        if (atomic_load_explicit(&pool->idle[w], memory_order_relaxed)) {
            thi_park_watch(pool);
            return;
        }
}

void thi_worker_displace(struct thi_worker *worker, struct thi_task *task)
{
    struct thi_task *old;

    switch (worker->kind) {
    case THI_WORKER_STEP: thi_step_submit(worker->step, task); return;
    case THI_WORKER_OWN: thi_pool_submit(worker->pool, task); return;
    case THI_WORKER_REGULAR:
    case THI_WORKER_SPARE: break;
    }
    if (worker->alone) {
        /* relaxed, release: nobody takes it but us; written as in thi_worker_submit() */
        old = atomic_load_explicit(&worker->next, memory_order_relaxed);
        atomic_store_explicit(&worker->next, task, memory_order_release);
    } else {
        /* release: publishes the task, as in thi_worker_submit(); acquire: the displaced one is
         * ours to queue again */
        old = atomic_exchange_explicit(&worker->next, task, memory_order_acq_rel);
    }
    if (old)
        thi_worker_put(worker, old);
    thi_worker_watch(worker);
}

void thi_worker_requeue(struct thi_worker *worker, struct thi_task *task)
{
    switch (worker->kind) {
    case THI_WORKER_STEP: thi_step_submit(worker->step, task); return;
    case THI_WORKER_OWN: thi_pool_own_wake(worker); return;
    case THI_WORKER_REGULAR:
    case THI_WORKER_SPARE: thi_worker_put(worker, task);
    }
}

/* A sample counts at most twice the average: a page fault must not look like work. */
static uint64_t smooth(uint64_t average, uint64_t sample)
{
    uint64_t cap = 2 * average + 200;

    return (7 * average + (sample < cap ? sample : cap)) / 8;
}

/* Returns the length of a turn since the last look, neither smoothed nor capped. */
static uint64_t smooth_turn(struct thi_worker *worker)
{
    uint64_t now = thi_cycles();
    uint64_t span = now > worker->check_cycles ? now - worker->check_cycles : 0;
    uint64_t span_ns = thi_cycles_to_ns(&worker->pool->rate, span);
    uint64_t messages = thi_stats_get(&worker->stats, THI_STAT_HANDLED) +
                        thi_stats_get(&worker->stats, THI_STAT_ACCEPTED);
    uint64_t since = messages - worker->check_messages;

    worker->turn_ns = smooth(worker->turn_ns, span_ns / worker->check_every);
    worker->message_ns = smooth(worker->message_ns, span_ns / (since ? since : 1));
    worker->check_messages = messages;
    worker->check_cycles = now;
    return span_ns / worker->check_every;
}

/* Every LOOK_EVERY_NS or so. true: the worker is to retire. */
static bool look_around(struct thi_worker *worker)
{
    struct thi_pool *pool = worker->pool;
    uint64_t latest_ns = smooth_turn(worker);
    uint64_t every, queued_ns;

    refresh(worker);
    pick_sample(worker);
    thi_runq_adopt_submissions(worker);
    queued_ns = thi_runq_length(worker) * worker->turn_ns;
    if (worker->message_ns < TH_CHEAP_MESSAGE_NS)
        queued_ns /= TH_CHEAP_DISCOUNT;
    worker->press_ns = worker->press_ns / 2 + queued_ns;
    /* relaxed: a thief's hint */
    atomic_store_explicit(&worker->press_seen, worker->press_ns, memory_order_relaxed);
    if (!worker->alone && worker->press_ns > thi_benefit_pressure(&pool->benefit) &&
        thi_park_wake_one(pool)) {
        thi_stats_add(&worker->stats, THI_STAT_WAKES, 1);
        if (TH_UNLIKELY(thi_trace_is_on(worker->trace)))
            thi_worker_record(worker, THI_TRACE_WAKE, 0, 0);
        worker->press_ns = 0;
    }
    /* The latest turn as it was: the average would take dozens of looks to notice that handlers
     * have become slow, and submissions wait for a look. */
    every = LOOK_EVERY_NS / ((latest_ns > worker->turn_ns ? latest_ns : worker->turn_ns) + 1);
    worker->check_every = every < 1 ? 1 : every > TH_CHECK_TURNS ? TH_CHECK_TURNS : (unsigned)every;
    if (worker->samples) /* as in pick_sample() */
        worker->check_every += (unsigned)thi_random_below(&worker->random, 8);
    worker->check_turns = worker->check_every;
    return !worker->alone &&
           thi_benefit_look(worker, thi_cycles_to_ns(&pool->rate, worker->check_cycles));
}

/* Ran dry: take half of what waits longest elsewhere, if it is worth the cache lines. */
static struct thi_task *steal(struct thi_worker *worker)
{
    struct thi_pool *pool = worker->pool;
    struct thi_worker *victim = NULL;
    uint64_t most = TH_WAKE_PRESSURE_NS / 4;
    /* acquire: the workers themselves; pairs with the release in make_worker() of pool.c */
    unsigned made = atomic_load_explicit(&pool->made, memory_order_acquire);

    if (worker->alone)
        return NULL;
    for (unsigned i = 0; i < made; i++) {
        struct thi_worker *other = pool->workers[i];
        /* relaxed: a hint */
        uint64_t press = atomic_load_explicit(&other->press_seen, memory_order_relaxed);

        if (other != worker && press > most && thi_runq_length(other)) {
            most = press;
            victim = other;
        }
    }
    if (!victim || !thi_runq_steal(worker, victim, false))
        return NULL;
    return thi_runq_take(worker);
}

static void run_turn(struct thi_worker *worker, struct thi_task *task)
{
    /* relaxed, both: a sentry only compares; odd while the turn runs */
    uint64_t turn = atomic_load_explicit(&worker->turn, memory_order_relaxed);

    atomic_store_explicit(&worker->current, task, memory_order_relaxed); /* a figure, too */
    atomic_store_explicit(&worker->turn, turn + 1, memory_order_relaxed);
    worker->run(worker, task);
    atomic_store_explicit(&worker->turn, turn + 2, memory_order_relaxed);
    thi_reclaim_quiescent();
}

static bool is_surplus(struct thi_worker *worker)
{
    return worker->kind == THI_WORKER_SPARE &&
           /* relaxed: thi_pool_spare_rest() looks again under the lock */
           atomic_load_explicit(&worker->pool->blocked, memory_order_relaxed) == 0;
}

/* Parks by @park, and starts afresh. */
static void rest(struct thi_worker *worker, void (*park)(struct thi_worker *worker))
{
    /* relaxed: a hint to thieves */
    atomic_store_explicit(&worker->press_seen, 0, memory_order_relaxed);
    park(worker);
    refresh(worker);
    worker->check_cycles = thi_cycles();
    worker->check_turns = worker->check_every = 1;
    worker->press_ns = 0;
}

void *thi_worker_main(void *context)
{
    struct thi_worker *worker = context;
    struct thi_pool *pool = worker->pool;
    struct thi_task *task;

    thi_reclaim_thread_begin();
    pool->options.ops->worker_begin(worker);
    worker->check_cycles = thi_cycles();
    for (;;) {
        task = thi_runq_take(worker);
        if (TH_UNLIKELY(!task))
            task = steal(worker);
        if (TH_LIKELY(task)) {
            run_turn(worker, task);
            if (TH_UNLIKELY(--worker->check_turns == 0) && look_around(worker))
                rest(worker, thi_park_retire);
        }
        if (TH_UNLIKELY(is_surplus(worker)) && !thi_pool_spare_rest(worker))
            break;
        if (TH_LIKELY(task))
            continue;
        /* relaxed: thi_park() looks properly */
        if (atomic_load_explicit(&pool->stop, memory_order_relaxed))
            break;
        rest(worker, thi_park);
    }
    pool->options.ops->worker_end(worker);
    thi_reclaim_thread_end();
    return NULL;
}

void *thi_worker_main_own(void *context)
{
    struct thi_worker *worker = context;
    struct thi_pool *pool = worker->pool;

    thi_reclaim_thread_begin();
    pool->options.ops->worker_begin(worker);
    while (worker->own_task) {
        /* acquire: what the waker wrote, and the task's last run; pairs with thi_pool_own_wake() */
        if (atomic_exchange_explicit(&worker->word, 0, memory_order_acquire)) {
            /* acquire: pairs with thi_pool_own_abandon() */
            if (atomic_load_explicit(&worker->own_abandoned, memory_order_acquire))
                break;
            refresh(worker);
            pick_sample(worker);
            run_turn(worker, worker->own_task);
            continue;
        }
        pool->options.ops->worker_idle(worker);
        thi_reclaim_offline();
        thi_worker_rest_begin(worker);
        thi_futex_wait(&worker->word, 0, UINT64_MAX);
        thi_worker_rest_end(worker);
        thi_reclaim_online();
    }
    pool->options.ops->worker_end(worker);
    thi_reclaim_thread_end();
    /* release: whoever joins us may free the worker; pairs with reap_owns() of pool.c */
    atomic_store_explicit(&worker->own_done, true, memory_order_release);
    return NULL;
}
