/* runtime/sched/park.c: sleep and wake, no wake-up lost, and the sentry.
 *
 * A worker that ran dry looks for work a little longer (spins), then says that it sleeps (its bit
 * in pool->idle), looks once more, and waits on its futex word. Whoever submits pushes first and
 * looks at the bits second. Both sides write, then read the other's word, all four sequentially
 * consistent, so at least one of them sees the other:
 *
 * P1. After a submission either a searching or parking worker sees it, or the submitter sees the
 * bit and wakes its worker.
 * P2. Only who cleared a worker's bit wakes it; a worker that goes on by itself clears its own bit.
 * A wake that comes late
 *     costs one look, never a lost task.
 * P3. The model in tests/model/park.pml proves P1 and P4, and that stop reaches everybody.
 * P4. What a worker leaves in the submissions when it retires wakes nobody: another still counts
 *     as running, and whoever counts itself out (parks, blocks, rests) looks at the submissions
 *     after that. The last one does not retire.
 *
 * The sentry. A worker's queue waits while its handler runs long. So whoever queues something
 * beside a parked worker makes sure that one parked worker is on watch (pool->watched), and who
 * parks while something waits in a queue takes the post itself. A sentry wakes every TH_SENTRY_NS,
 * and takes from the queue of a worker that has been in the same turn since the last look. When
 * nobody runs, the watch ends and everything sleeps. */
#include "runtime/sched/pool.h"

#include "runtime/base/clock.h"
#include "runtime/base/futex.h"
#include "runtime/base/reclaim.h"
#include "runtime/base/trace.h"
#include <thespis/assert.h>

enum { WATCH_NONE, WATCH_APPOINTED, WATCH_ON };

static bool is_stopping(struct thi_pool *pool)
{
    /* seq_cst: read between saying that we sleep and sleeping; pairs with the store in
     * thi_pool_stop() (as P1) */
    return atomic_load_explicit(&pool->stop, memory_order_seq_cst);
}

static bool has_submissions(struct thi_pool *pool)
{
    /* seq_cst: P1; pairs with the push in thi_pool_submit() */
    return atomic_load_explicit(&pool->inject, memory_order_seq_cst) != NULL;
}

static bool is_woken(struct thi_worker *worker)
{
    /* acquire: pairs with the release in thi_park_wake() */
    return atomic_load_explicit(&worker->word, memory_order_acquire) != 0;
}

static void set_idle(struct thi_worker *worker)
{
    /* seq_cst: P1 */
    atomic_fetch_or_explicit(&worker->pool->idle[worker->index / 64],
                             UINT64_C(1) << worker->index % 64, memory_order_seq_cst);
}

static bool clear_idle(struct thi_pool *pool, unsigned index)
{
    uint64_t bit = UINT64_C(1) << index % 64;

    /* seq_cst: P1, P2: one clearer wins */
    return atomic_fetch_and_explicit(&pool->idle[index / 64], ~bit, memory_order_seq_cst) & bit;
}

void thi_park_wake(struct thi_worker *worker)
{
    /* release: what the waker did before; pairs with is_woken() */
    atomic_store_explicit(&worker->word, 1, memory_order_release);
    thi_futex_wake(&worker->word, 1);
}

bool thi_park_wake_one(struct thi_pool *pool)
{
    for (unsigned w = 0; w < THI_POOL_WORDS; w++) {
        uint64_t bits;

        /* seq_cst: P1 */
        while ((bits = atomic_load_explicit(&pool->idle[w], memory_order_seq_cst))) {
            unsigned index = w * 64 + (unsigned)__builtin_ctzll(bits);

            if (!clear_idle(pool, index))
                continue; /* somebody else woke that one */
            thi_point_wake(index);
            thi_park_wake(pool->workers[index]);
            return true;
        }
    }
    return false;
}

void thi_park_watch(struct thi_pool *pool)
{
    uint32_t none = WATCH_NONE;

    /* relaxed: who wins only decides who wakes; the states are hints but for end_watch() */
    if (!atomic_compare_exchange_strong_explicit(&pool->watched, &none, WATCH_APPOINTED,
                                                 memory_order_relaxed, memory_order_relaxed))
        return;
    if (!thi_park_wake_one(pool)) {
        uint32_t appointed = WATCH_APPOINTED;

        /* nobody sleeps any more; relaxed: as above. Lost against a sentry that took the post: it
         * may keep it */
        (void)atomic_compare_exchange_strong_explicit(&pool->watched, &appointed, WATCH_NONE,
                                                      memory_order_relaxed, memory_order_relaxed);
    }
}

/* Looks at everybody once. true: we took somebody's queue, run it. */
static bool look_for_stuck(struct thi_worker *worker, uint64_t *seen)
{
    struct thi_pool *pool = worker->pool;
    /* acquire: the workers themselves; pairs with the release in make_worker() of pool.c */
    unsigned made = atomic_load_explicit(&pool->made, memory_order_acquire);

    for (unsigned i = 0; i < made; i++) {
        struct thi_worker *other = pool->workers[i];
        /* relaxed: only compared with itself half a millisecond ago */
        uint64_t turn = atomic_load_explicit(&other->turn, memory_order_relaxed);
        bool is_stuck = other != worker && (turn & 1) && turn == seen[i];

        seen[i] = turn;
        if (is_stuck &&
            (thi_runq_steal(worker, other, true) || thi_runq_adopt_submissions(worker))) {
            thi_stats_add(&worker->stats, THI_STAT_RESCUES, 1);
            return true;
        }
    }
    return false;
}

/* Gives up the watch. false: somebody runs after all, go on watching. */
static bool end_watch(struct thi_pool *pool)
{
    /* seq_cst, both: a worker that starts to run adds itself to `running`, then looks at `watched`
     * when it queues something; we write `watched`, then look at `running`. One of us sees the
     * other. */
    atomic_store_explicit(&pool->watched, WATCH_NONE, memory_order_seq_cst);
    if (atomic_load_explicit(&pool->running, memory_order_seq_cst) == 0)
        return true;
    atomic_store_explicit(&pool->watched, WATCH_ON, memory_order_seq_cst);
    return false;
}

static bool take_watch(struct thi_pool *pool)
{
    uint32_t appointed = WATCH_APPOINTED;

    /* relaxed: as in thi_park_watch() */
    return atomic_compare_exchange_strong_explicit(&pool->watched, &appointed, WATCH_ON,
                                                   memory_order_relaxed, memory_order_relaxed);
}

/* Whether somebody has more than the task it runs. */
static bool is_work_waiting(struct thi_pool *pool)
{
    /* acquire: as in look_for_stuck() */
    unsigned made = atomic_load_explicit(&pool->made, memory_order_acquire);

    for (unsigned i = 0; i < made; i++)
        if (thi_runq_has_work(pool->workers[i]))
            return true;
    return has_submissions(pool); /* P4: left to somebody who may be stuck */
}

/* Who queues something appoints a sentry from those who are parked by then; who parks later looks
 * whether there is need of one. */
static bool volunteer(struct thi_pool *pool)
{
    uint32_t none = WATCH_NONE;

    /* relaxed: as in thi_park_watch() */
    return is_work_waiting(pool) &&
           atomic_compare_exchange_strong_explicit(&pool->watched, &none, WATCH_ON,
                                                   memory_order_relaxed, memory_order_relaxed);
}

static void leave_watch(struct thi_pool *pool)
{
    /* relaxed: the next who queues something, or parks, sees to the next sentry */
    atomic_store_explicit(&pool->watched, WATCH_NONE, memory_order_relaxed);
    if (is_work_waiting(pool))
        thi_park_watch(pool);
}

/* Waits for the word; as the sentry in short sleeps. Returns with the bit cleared by somebody.
 *
 * The first sleep is short for everybody, unless nobody runs: queueing is a plain store, so one
 * that happens while we park may not have seen our bit, nor we it. A moment later we do. */
static void sleep_until_woken(struct thi_worker *worker)
{
    struct thi_pool *pool = worker->pool;
    uint64_t seen[TH_WORKERS_MAX + TH_SPARE_WORKERS_MAX] = { 0 };
    bool on_watch = take_watch(pool) || volunteer(pool);
    /* relaxed: a hint; a submission wakes somebody, who then sees our bit */
    bool may_rest = atomic_load_explicit(&pool->running, memory_order_relaxed) == 0;

    while (!is_woken(worker)) {
        if (!on_watch && may_rest) {
            thi_futex_wait(&worker->word, 0, UINT64_MAX);
            continue;
        }
        thi_futex_wait(&worker->word, 0, thi_clock_monotonic() + TH_SENTRY_NS);
        if (!on_watch) {
            may_rest = true;
            on_watch = volunteer(pool);
            continue;
        }
        /* seq_cst: see end_watch() */
        if (atomic_load_explicit(&pool->running, memory_order_seq_cst) == 0) {
            on_watch = !end_watch(pool);
            continue;
        }
        if (look_for_stuck(worker, seen) && clear_idle(pool, worker->index))
            break;
    }
    if (on_watch)
        leave_watch(pool);
    /* relaxed: only we reset it, and a wake that comes now only costs a look (P2) */
    atomic_store_explicit(&worker->word, 0, memory_order_relaxed);
}

/* Looks for work a little longer. true: there is some. */
static bool spin(struct thi_worker *worker)
{
    uint64_t start = thi_cycles();
    struct thi_pool *pool = worker->pool;

    do {
        for (int i = 0; i < 32; i++) {
            if (has_submissions(pool) || is_stopping(pool))
                return true;
            ck_pr_stall();
        }
    } while (thi_cycles_to_ns(&pool->rate, thi_cycles_since(start)) < TH_SPIN_NS);
    return false;
}

/* Says that we sleep: the bit, then the count. Both before the second look: P1, P4. */
static void leave(struct thi_worker *worker)
{
    set_idle(worker);
    /* seq_cst: see end_watch(), and P4 */
    atomic_fetch_sub_explicit(&worker->pool->running, 1, memory_order_seq_cst);
}

void thi_park_count_out(struct thi_pool *pool)
{
    /* seq_cst: P4; pairs with thi_park_retire() */
    atomic_fetch_sub_explicit(&pool->running, 1, memory_order_seq_cst);
    if (has_submissions(pool))
        thi_park_wake_one(pool);
}

static void come_back(struct thi_worker *worker)
{
    /* seq_cst: see end_watch() */
    atomic_fetch_add_explicit(&worker->pool->running, 1, memory_order_seq_cst);
}

static void lie_down(struct thi_worker *worker)
{
    uint64_t began = thi_trace_is_on(worker->trace) ? thi_cycles() : 0;

    thi_stats_add(&worker->stats, THI_STAT_PARKS, 1);
    thi_reclaim_offline();
    thi_worker_rest_begin(worker);
    thi_point_park(worker->index);
    sleep_until_woken(worker);
    thi_point_unpark(worker->index);
    thi_worker_rest_end(worker);
    come_back(worker);
    thi_reclaim_online();
    if (began)
        thi_worker_record(worker, THI_TRACE_PARK, began, 0);
}

void thi_park(struct thi_worker *worker)
{
    struct thi_pool *pool = worker->pool;
    bool found;

    /* seq_cst, here and below: P1; who submits while we search need not wake anybody */
    atomic_fetch_add_explicit(&pool->searching, 1, memory_order_seq_cst);
    found = spin(worker);
    if (found) {
        atomic_fetch_sub_explicit(&pool->searching, 1, memory_order_seq_cst);
        return;
    }
    pool->options.ops->worker_idle(worker);
    leave(worker);
    /* seq_cst: P1: after the bit, before the second look */
    atomic_fetch_sub_explicit(&pool->searching, 1, memory_order_seq_cst);
    /* P1: the second look. If the bit was gone, a waker has it: its word is on the way, and we may
     * as well wait for it */
    if ((has_submissions(pool) || is_stopping(pool)) && clear_idle(pool, worker->index)) {
        come_back(worker);
        return;
    }
    lie_down(worker);
}

/* P4. Our queue goes to the submissions without waking anybody, and we count ourselves out. Was
 * somebody else still counted in, then its second look, should it be parking, comes after, and sees
 * them; if not, we stay. A worker that is stuck in a long handler is the sentry's business. */
void thi_park_retire(struct thi_worker *worker)
{
    struct thi_pool *pool = worker->pool;

    pool->options.ops->worker_idle(worker);
    thi_runq_spill(worker, thi_pool_push);
    set_idle(worker);
    /* seq_cst: P4; pairs with leave(), also of another that retires */
    if ((atomic_fetch_sub_explicit(&pool->running, 1, memory_order_seq_cst) == 1 ||
         is_stopping(pool)) &&
        clear_idle(pool, worker->index)) {
        come_back(worker);
        return;
    }
    lie_down(worker);
}
