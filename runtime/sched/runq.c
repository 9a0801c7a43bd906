/* runtime/sched/runq.c: one queue per worker, one for outsiders.
 *
 * A worker's queue is `next`, a ring and a backlog; what outsiders submit is one stack for the
 * whole pool.
 *
 * Q1. The ring has one producer, its worker; anybody consumes (ck_ring's spmc calls). With one
 * worker in the pool nobody else does, and
 *     the cheaper single-consumer call is used until that changes.
 * Q2. While the backlog has tasks, new ones go behind it, so that nobody is overtaken for ever; it
 * refills the ring.
 * Q3. The submission stack is taken whole by one exchange and reversed, so that submissions run in
 * their order.
 * Q4. A task is in at most one of these places at a time (task.h), so task->next has one use at a
 * time. */
#include "runtime/sched/pool.h"

#include "runtime/base/trace.h"
#include <thespis/assert.h>

bool thi_runq_init(struct thi_worker *worker, struct thi_memory *memory)
{
    worker->slots = thi_memory_take(memory, TH_RING_SIZE * sizeof(ck_ring_buffer_t));
    if (!worker->slots)
        return false;
    ck_ring_init(&worker->ring, TH_RING_SIZE);
    ck_spinlock_init(&worker->backlog_lock);
    return true;
}

void thi_runq_fini(struct thi_worker *worker, struct thi_memory *memory)
{
    thi_memory_give(memory, worker->slots, TH_RING_SIZE * sizeof(ck_ring_buffer_t));
    worker->slots = NULL;
}

static uint64_t backlog_count(struct thi_worker *worker)
{
    /* relaxed: a hint; the list itself is read under the lock */
    return atomic_load_explicit(&worker->backlog_count, memory_order_relaxed);
}

/* Puts a chain of @count tasks, linked by next, at the backlog's end. */
static void backlog_push(struct thi_worker *worker, struct thi_task *first, struct thi_task *last,
                         uint64_t count)
{
    last->next = NULL;
    ck_spinlock_lock(&worker->backlog_lock);
    if (worker->backlog_tail)
        worker->backlog_tail->next = first;
    else
        worker->backlog_head = first;
    worker->backlog_tail = last;
    /* relaxed: written under the lock, read as a hint */
    atomic_store_explicit(&worker->backlog_count, backlog_count(worker) + count,
                          memory_order_relaxed);
    ck_spinlock_unlock(&worker->backlog_lock);
}

/* Moves at most @most tasks from @from's backlog to @to's ring. How many it moved. */
static uint64_t backlog_move(struct thi_worker *from, struct thi_worker *to, uint64_t most)
{
    struct thi_task *task;
    uint64_t moved = 0;

    if (backlog_count(from) == 0)
        return 0;
    ck_spinlock_lock(&from->backlog_lock);
    while (moved < most && (task = from->backlog_head)) {
        struct thi_task *rest = task->next; /* read first: on the ring a thief may run it at once */

        if (!ck_ring_enqueue_spmc(&to->ring, to->slots, task))
            break;
        from->backlog_head = rest;
        if (!rest)
            from->backlog_tail = NULL;
        moved++;
    }
    /* relaxed: as in backlog_push() */
    atomic_store_explicit(&from->backlog_count, backlog_count(from) - moved, memory_order_relaxed);
    ck_spinlock_unlock(&from->backlog_lock);
    return moved;
}

void thi_worker_put(struct thi_worker *worker, struct thi_task *task)
{
    if (TH_LIKELY(backlog_count(worker) == 0) &&
        TH_LIKELY(ck_ring_enqueue_spmc(&worker->ring, worker->slots, task)))
        return;
    backlog_push(worker, task, task, 1);
}

static struct thi_task *take_ring(struct thi_worker *worker)
{
    void *task = NULL;
    bool got = worker->alone ? ck_ring_dequeue_spsc(&worker->ring, worker->slots, &task)
                             : ck_ring_dequeue_spmc(&worker->ring, worker->slots, &task);

    return got ? task : NULL;
}

static struct thi_task *take_next(struct thi_worker *worker)
{
    /* acquire: what the last run of the task wrote; pairs with the releases in thi_worker_submit()
     * and thi_worker_displace() */
    struct thi_task *task = atomic_load_explicit(&worker->next, memory_order_acquire);

    if (!task)
        return NULL;
    if (worker->alone) {
        /* relaxed: nobody else reads or writes it */
        atomic_store_explicit(&worker->next, NULL, memory_order_relaxed);
        return task;
    }
    /* acquire: as above, for whichever task is there now (a thief may have emptied it: NULL) */
    return atomic_exchange_explicit(&worker->next, NULL, memory_order_acquire);
}

struct thi_task *thi_runq_take(struct thi_worker *worker)
{
    struct thi_task *task;

    if (TH_LIKELY(worker->next_turns < TH_NEXT_TURNS_MAX) && (task = take_next(worker))) {
        worker->next_turns++;
        return task;
    }
    worker->next_turns = 0;
    if ((task = take_ring(worker)))
        return task;
    if (backlog_move(worker, worker, TH_RING_SIZE / 2) && (task = take_ring(worker)))
        return task;
    if ((task = take_next(worker)))
        return task;
    return thi_runq_adopt_submissions(worker) ? take_ring(worker) : NULL;
}

bool thi_runq_adopt_submissions(struct thi_worker *worker)
{
    struct thi_task *task, *next, *first = NULL, *last;
    uint64_t count = 0;

    /* relaxed: a hint that saves the exchange */
    if (!atomic_load_explicit(&worker->pool->inject, memory_order_relaxed))
        return false;
    /* acquire: what submitters wrote; pairs with the release half in thi_pool_push() */
    last = task = atomic_exchange_explicit(&worker->pool->inject, NULL, memory_order_acquire);
    for (; task; task = next) { /* Q3 */
        next = task->next;
        task->next = first;
        first = task;
        count++;
    }
    if (!first)
        return false;
    backlog_push(worker, first, last, count);
    backlog_move(worker, worker, TH_RING_SIZE / 2);
    if (count > 1)
        thi_worker_watch(worker);
    return true;
}

uint64_t thi_runq_length(struct thi_worker *worker)
{
    return ck_ring_size(&worker->ring) + backlog_count(worker);
}

bool thi_runq_has_work(struct thi_worker *worker)
{
    /* relaxed: a hint; whoever acts on it takes with acquire */
    return thi_runq_length(worker) != 0 ||
           atomic_load_explicit(&worker->next, memory_order_relaxed) != NULL;
}

bool thi_runq_steal(struct thi_worker *thief, struct thi_worker *victim, bool with_next)
{
    uint64_t half = (ck_ring_size(&victim->ring) + 1) / 2, got = 0;
    void *task;

    while (got < half && ck_ring_dequeue_spmc(&victim->ring, victim->slots, &task)) {
        thi_worker_put(thief, task);
        got++;
    }
    got += backlog_move(victim, thief, (backlog_count(victim) + 1) / 2);
    if (with_next) {
        /* acquire: as in take_next(); W1 lets anybody take */
        task = atomic_exchange_explicit(&victim->next, NULL, memory_order_acquire);
        if (task) {
            thi_worker_put(thief, task);
            got++;
        }
    }
    if (got) {
        thi_point_steal(thief->index, victim->index);
        thi_stats_add(&thief->stats, THI_STAT_STEALS, 1);
        if (TH_UNLIKELY(thi_trace_is_on(thief->trace)))
            thi_worker_record(thief, THI_TRACE_STEAL, 0, victim->index);
    }
    return got != 0;
}

void thi_runq_spill(struct thi_worker *worker,
                    void (*submit)(struct thi_pool *pool, struct thi_task *task))
{
    struct thi_task *task;

    while ((task = take_next(worker)) || (task = take_ring(worker)) ||
           (backlog_move(worker, worker, TH_RING_SIZE / 2) && (task = take_ring(worker))))
        submit(worker->pool, task);
}
