/* trace_ring.h: what points saw, on its way to a file.
 *
 * While somebody traces (system/trace.h), each worker puts what it does into a ring of its own, and
 * one thread takes it out and writes it. Threads that are no workers share one ring, under a lock.
 * A ring that is full takes nothing more, and counts what was lost: a trace never makes a worker
 * wait, and its memory is bounded.
 *
 * On the simple base there is no such thread: an event is written at once, under the lock. Time
 * there is virtual and stands still during a turn, so each event is a nanosecond later than the
 * last: what is inside what stays visible, and one seed has one trace.
 *
 * G1. One thread puts (the worker; under the lock those that share), one takes. `head` is the
 *     putter's, `tail` the taker's.
 * G2. A ring is its worker's from thi_trace_join() to thi_trace_leave(); then another may have it,
 *     with what is still in it. Rings are freed when no worker is left. */
#ifndef THI_BASE_TRACE_RING_H
#define THI_BASE_TRACE_RING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/bell.h"
#include "mailbox/alloc.h"
#include <thespis/addr.h>
#include <thespis/config.h>

enum thi_trace_kind {
    THI_TRACE_TURN, /* these three last from `at` to `until` */
    THI_TRACE_HANDLE,
    THI_TRACE_PARK,
    THI_TRACE_SEND, /* these are moments */
    THI_TRACE_DEAD_LETTER,
    THI_TRACE_POISON,
    THI_TRACE_SPAWN,
    THI_TRACE_EXIT,
    THI_TRACE_WAKEUP_SET,
    THI_TRACE_WAKEUP_FIRE,
    THI_TRACE_WAKE,
    THI_TRACE_STEAL,
    THI_TRACE_HOLD,
    THI_TRACE_RESUME,
    THI_TRACE_KINDS
};

/* Threads without a worker; workers by their index; from THI_TRACK_OWN on threads of one actor. */
enum { THI_TRACK_OUTSIDE = 0, THI_TRACK_WORKERS = 1, THI_TRACK_OWN = 1 << 12 };

struct thi_trace_event {
    uint64_t at, until; /* thi_trace_now() */
    const char *name;   /* of a class, or of a message's type: constant */
    const void *msg;    /* which message: to find where it was sent; or NULL */
    th_addr actor;      /* whose it is */
    th_addr other;      /* who is on the other side */
    uint64_t number;    /* a reason, an error, an id, another worker */
    uint32_t track;
    enum thi_trace_kind kind;
};

struct thi_trace_ring {
    _Alignas(TH_CACHE_LINE) _Atomic uint64_t head;
    _Atomic uint64_t dropped;
    bool is_free;  /* under the trace's lock, with what follows */
    uint64_t told; /* of those dropped, by thi_trace_lost() */
    struct thi_trace_ring *next;
    _Alignas(TH_CACHE_LINE) _Atomic uint64_t tail;
    struct thi_trace_event events[TH_TRACE_EVENTS];
};

struct thi_trace {
    _Atomic bool is_on;
    bool is_direct;               /* constant: the simple base */
    struct thi_memory *memory;    /* constant */
    struct thi_bell bell;         /* a ring is half full */
    _Atomic uint64_t unringed;    /* lost, since there was no memory for a ring */
    pthread_mutex_t lock;         /* what follows */
    struct thi_trace_ring *rings; /* all; the first is that of threads without a worker */
    uint64_t last_ns;             /* direct: of the last event */
    /* direct: writes an event; under the lock */
    void (*write)(void *context, const struct thi_trace_event *event);
    void *context;
};

void thi_trace_init(struct thi_trace *trace, struct thi_memory *memory, bool is_direct);
/* When no worker is left. */
void thi_trace_fini(struct thi_trace *trace);

/* From any thread. NULL, where there is no system, is off. */
static inline bool thi_trace_is_on(const struct thi_trace *trace)
{
    /* relaxed: who sees it a little late misses an event, or puts one that nobody takes */
    return trace && atomic_load_explicit(&trace->is_on, memory_order_relaxed);
}

/* Cycles; on the simple base nanoseconds: @clock_ns, or the first that no event has. */
uint64_t thi_trace_now(struct thi_trace *trace, uint64_t clock_ns);

/* Puts @event into *@ring, which is made at the first; @ring NULL: from a thread without one. */
void thi_trace_put(struct thi_trace *trace, struct thi_trace_ring **ring,
                   const struct thi_trace_event *event);

/* A worker that ends gives its ring back; NULL: it had none. */
void thi_trace_leave(struct thi_trace *trace, struct thi_trace_ring *ring);

/* ---- for the one that takes ---- */

/* The oldest event of @ring; false: there is none. */
bool thi_trace_take(struct thi_trace_ring *ring, struct thi_trace_event *event_out);

/* The rings there are: more are only added, at the end. Makes the first if need be; NULL: no
 * memory. */
struct thi_trace_ring *thi_trace_rings(struct thi_trace *trace);

/* The one after @ring, or NULL. */
struct thi_trace_ring *thi_trace_next(struct thi_trace *trace, struct thi_trace_ring *ring);

/* Lost since the last time it was asked. */
uint64_t thi_trace_lost(struct thi_trace *trace);

#endif
