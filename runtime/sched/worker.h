/* runtime/sched/worker.h: a thread that runs tasks: take, run a turn, steal, park.
 *
 * Where a worker looks for work, in order: `next`, a one-slot place for conversations, at most
 * TH_NEXT_TURNS_MAX turns in a row; its ring, from which others steal; its backlog, what did not
 * fit; the pool's submission queue; other workers.
 *
 * Fields are grouped by who writes them. */
#ifndef THI_SCHED_WORKER_H
#define THI_SCHED_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ck_ring.h>
#include <ck_spinlock.h>

#include "runtime/sched/task.h"
#include "runtime/base/histogram.h"
#include "runtime/base/random.h"
#include "runtime/base/stats.h"
#include "runtime/base/trace_ring.h"
#include "mailbox/alloc.h"
#include <thespis/config.h>
#include <thespis/system.h>

struct thi_pool;
struct thi_step;

struct thi_cell; /* the floor above's; never looked into here */

struct thi_cell_batch {
    struct thi_cell *first;
    unsigned count;
};

enum thi_worker_kind {
    THI_WORKER_REGULAR, /* one of options.workers */
    THI_WORKER_SPARE,   /* lent while another is blocked */
    THI_WORKER_OWN,     /* runs one task only */
    THI_WORKER_STEP     /* the simple base: runs on whichever thread drives the system */
};

/* Durations, nanoseconds; written by the worker, summed by readers. */
struct thi_samples {
    struct thi_histogram waiting, handling;
};

static inline void thi_samples_merge(struct thi_samples *to, const struct thi_samples *from)
{
    thi_histogram_merge(&to->waiting, &from->waiting);
    thi_histogram_merge(&to->handling, &from->handling);
}

/* What a send has to look after first. */
enum thi_heed {
    THI_HEED_BLOCKING = 1 << 0,
    THI_HEED_SAMPLE = 1 << 1,
    THI_HEED_TRACE = 1 << 2 /* what is sent is to be recorded */
};

/* What a watchdog (system/watchdog.h) knows of a worker: its own, under the pool's lock. */
struct thi_worker_watch {
    uint64_t turn, deliveries; /* at the last look */
    uint64_t since_ns;         /* the look that first saw them */
    bool is_reported;
    th_stall stall; /* as reported */
};

struct thi_worker {
    /* constant while the worker lives */
    struct thi_pool *pool;
    struct thi_step *step; /* not NULL on the simple base */
    void *stage;           /* the floor above's; the scheduler never looks */
    uint64_t system; /* the id every address of the system has: saves the floor above a load */
    enum thi_worker_kind kind;
    unsigned index;
    bool alone; /* nobody can steal: the pool has one worker and no spare was ever lent */

    /* the worker's thread only */
    _Atomic bool is_blocking;    /* between thi_pool_blocking_begin() and _end(): out of the game */
    bool is_sampling;            /* the next delivery is to be timed */
    uint8_t heed;                /* enum thi_heed */
    struct thi_samples *samples; /* constant; NULL: nobody measures */
    thi_turn run; /* how a turn is run; a copy of the pool's, renewed at every look around */
    struct thi_heap heap;
    struct thi_random random;
    unsigned next_turns;  /* in a row taken from `next` */
    unsigned check_turns; /* turns until the next look around */
    unsigned check_every;
    uint64_t check_cycles;   /* when that was last done */
    uint64_t turn_ns;        /* smoothed length of a turn */
    uint64_t message_ns;     /* smoothed time per message sent or handled */
    uint64_t check_messages; /* sent and handled at the last look */
    uint64_t press_ns;       /* smoothed work queued here */
    struct thi_cell
        *cells; /* kept for the floor above: spare ones, and those retired, for a batch */
    struct thi_cell_batch retired;
    pthread_t thread;
    struct thi_trace *trace;       /* constant; NULL: there is nobody to ask for one */
    struct thi_trace_ring *traced; /* for what it records; from the first event on */
    uint32_t track;                /* constant: whose events they are */

    /* written by the worker, read by others */
    struct thi_stats stats;
    _Alignas(TH_CACHE_LINE) _Atomic uint64_t
        turn;                    /* odd while a turn runs; how a sentry sees that it is stuck */
    _Atomic uint64_t press_seen; /* press_ns, for thieves */
    _Atomic(struct thi_task *) current; /* whose turn it is while `turn` is odd, else was */
    _Atomic uint64_t rest_since_ns;     /* when it parked, on CLOCK_MONOTONIC; 0: it is up */
    _Atomic(const void *) handles; /* the floor above's, in watched turns: what is being handled */
    _Atomic uint64_t deliveries;   /* and how many there were */
    struct thi_worker_watch watch;
    uint64_t began_ns; /* constant: when it was made, on the same clock */

    /* written by the worker and by thieves */
    _Alignas(TH_CACHE_LINE) _Atomic(struct thi_task *) next;
    _Alignas(TH_CACHE_LINE) ck_ring_t ring;
    ck_ring_buffer_t *slots; /* TH_RING_SIZE of them */
    _Alignas(TH_CACHE_LINE) ck_spinlock_t backlog_lock;
    struct thi_task *backlog_head; /* FIFO, under the lock */
    struct thi_task *backlog_tail;
    _Atomic uint64_t backlog_count; /* written under the lock, read anywhere */

    /* written by wakers */
    _Alignas(TH_CACHE_LINE) _Atomic uint32_t word; /* 1: woken; the futex it parks on */
    struct thi_task *own_task;                     /* kind OWN: the only one it runs */
    _Atomic bool own_abandoned;                    /* kind OWN: end without having run */
    _Atomic bool own_done;       /* kind OWN: the thread is past its last touch of the task */
    struct thi_worker *own_next; /* kind OWN: in the pool's list */
};

/* From the worker's own thread. */
static inline bool thi_worker_is_blocking(const struct thi_worker *worker)
{
    /* relaxed: our own; others only show it */
    return atomic_load_explicit(&worker->is_blocking, memory_order_relaxed);
}

/* The same. */
static inline void thi_worker_heed(struct thi_worker *worker, enum thi_heed what, bool on)
{
    worker->heed = (uint8_t)(on ? worker->heed | what : worker->heed & ~(unsigned)what);
}

/* From the worker's own thread, in a turn: @task was asleep and has mail now. */
static inline void thi_worker_submit(struct thi_worker *worker, struct thi_task *task);

/* From the worker's own thread, at the end of @task's turn: it has more to do, after everybody
 * else. */
void thi_worker_requeue(struct thi_worker *worker, struct thi_task *task);

/* Around a sleep: parked, or without duty. */
void thi_worker_rest_begin(struct thi_worker *worker);
void thi_worker_rest_end(struct thi_worker *worker);

/* For who traces, from the worker's own thread: something of @kind began at @at (thi_trace_now()),
 * or happens now. */
void thi_worker_record(struct thi_worker *worker, enum thi_trace_kind kind, uint64_t at,
                       uint64_t number);

/* Puts @task on the ring, or on the backlog. */
void thi_worker_put(struct thi_worker *worker, struct thi_task *task);

/* The slow end of thi_worker_submit(). */
void thi_worker_displace(struct thi_worker *worker, struct thi_task *task);

/* Something waits beside what @worker runs: see that a sentry watches, if anybody is free to. */
void thi_worker_watch(struct thi_worker *worker);

/* W1. Only the owner makes `next` non-NULL; anybody may take it by exchanging NULL into it. So the
 * owner may store into an
 *     empty slot without a read-modify-write. */
static inline void thi_worker_submit(struct thi_worker *worker, struct thi_task *task)
{
    /* relaxed: only we make it non-NULL, so NULL stays NULL until we write */
    if (TH_LIKELY(worker->kind <= THI_WORKER_SPARE &&
                  !atomic_load_explicit(&worker->next, memory_order_relaxed))) {
        /* release: publishes the task; pairs with the acquires in take_next() and thi_runq_steal()
         * of runq.c */
        atomic_store_explicit(&worker->next, task, memory_order_release);
        if (!worker->alone)
            thi_worker_watch(worker);
    } else
        thi_worker_displace(worker, task);
}

#endif
