#include "runtime/base/trace_ring.h"

#include <string.h>

#include "runtime/base/cycles.h"

/* ---- life ---- */

void thi_trace_init(struct thi_trace *trace, struct thi_memory *memory, bool is_direct)
{
    memset(trace, 0, sizeof(*trace));
    trace->memory = memory;
    trace->is_direct = is_direct;
    thi_bell_init(&trace->bell);
    pthread_mutex_init(&trace->lock, NULL);
}

void thi_trace_fini(struct thi_trace *trace)
{
    struct thi_trace_ring *ring;

    while ((ring = trace->rings)) {
        trace->rings = ring->next;
        thi_memory_give(trace->memory, ring, sizeof(*ring));
    }
    pthread_mutex_destroy(&trace->lock);
}

/* Under the lock. A ring that nobody has, or a new one behind all others. NULL: no memory. */
static struct thi_trace_ring *find_ring(struct thi_trace *trace)
{
    struct thi_trace_ring **link = &trace->rings, *ring;

    for (; (ring = *link); link = &ring->next)
        if (ring->is_free)
            break;
    if (!ring) {
        ring = thi_memory_take_raw(trace->memory, sizeof(*ring));
        if (!ring)
            return NULL;
        /* nobody else has it yet */
        atomic_init(&ring->head, 0);
        atomic_init(&ring->tail, 0);
        atomic_init(&ring->dropped, 0);
        ring->told = 0;
        ring->next = NULL;
        *link = ring;
    }
    ring->is_free = false;
    return ring;
}

static struct thi_trace_ring *join(struct thi_trace *trace)
{
    struct thi_trace_ring *ring = NULL;

    pthread_mutex_lock(&trace->lock);
    if (trace->rings || find_ring(trace)) /* the first is the outsiders' */
        ring = find_ring(trace);
    pthread_mutex_unlock(&trace->lock);
    return ring;
}

void thi_trace_leave(struct thi_trace *trace, struct thi_trace_ring *ring)
{
    if (!ring)
        return;
    pthread_mutex_lock(&trace->lock); /* and hands its head on to the next who has it */
    ring->is_free = true;
    pthread_mutex_unlock(&trace->lock);
}

/* ---- putting ---- */

uint64_t thi_trace_now(struct thi_trace *trace, uint64_t clock_ns)
{
    uint64_t now;

    if (!trace->is_direct)
        return thi_cycles();
    pthread_mutex_lock(&trace->lock);
    now = trace->last_ns = clock_ns > trace->last_ns ? clock_ns : trace->last_ns + 1;
    pthread_mutex_unlock(&trace->lock);
    return now;
}

/* True: the ring is half full now. */
static bool put(struct thi_trace_ring *ring, const struct thi_trace_event *event)
{
    /* relaxed: only we write it (G1) */
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    /* acquire: the place was read before it is written again; pairs with the release in
     * thi_trace_take() */
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

    if (head - tail == TH_TRACE_EVENTS) {
        /* relaxed: a figure with one writer */
        atomic_store_explicit(&ring->dropped,
                              atomic_load_explicit(&ring->dropped, memory_order_relaxed) + 1,
                              memory_order_relaxed);
        return false;
    }
    ring->events[head % TH_TRACE_EVENTS] = *event;
    /* release: publishes the event; pairs with the acquire in thi_trace_take() */
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return head - tail == TH_TRACE_EVENTS / 2;
}

void thi_trace_put(struct thi_trace *trace, struct thi_trace_ring **ring,
                   const struct thi_trace_event *event)
{
    bool is_half = false, has_ring = true;

    if (trace->is_direct || !ring) {
        pthread_mutex_lock(&trace->lock);
        if (trace->is_direct && trace->write)
            trace->write(trace->context, event);
        else if (trace->rings)
            is_half = put(trace->rings, event);
        pthread_mutex_unlock(&trace->lock);
    } else if (*ring || (*ring = join(trace))) {
        is_half = put(*ring, event);
    } else {
        has_ring = false;
    }
    if (!has_ring)
        /* relaxed: a figure */
        atomic_fetch_add_explicit(&trace->unringed, 1, memory_order_relaxed);
    if (is_half)
        thi_bell_ring(&trace->bell);
}

/* ---- taking ---- */

bool thi_trace_take(struct thi_trace_ring *ring, struct thi_trace_event *event_out)
{
    /* relaxed: only we write it (G1) */
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

    /* acquire: the event; pairs with the release in put() */
    if (tail == atomic_load_explicit(&ring->head, memory_order_acquire))
        return false;
    *event_out = ring->events[tail % TH_TRACE_EVENTS];
    /* release: we have read it; pairs with the acquire in put() */
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

struct thi_trace_ring *thi_trace_rings(struct thi_trace *trace)
{
    struct thi_trace_ring *first;

    pthread_mutex_lock(&trace->lock);
    first = trace->rings ? trace->rings : find_ring(trace);
    pthread_mutex_unlock(&trace->lock);
    return first;
}

struct thi_trace_ring *thi_trace_next(struct thi_trace *trace, struct thi_trace_ring *ring)
{
    struct thi_trace_ring *next;

    pthread_mutex_lock(&trace->lock);
    next = ring->next;
    pthread_mutex_unlock(&trace->lock);
    return next;
}

uint64_t thi_trace_lost(struct thi_trace *trace)
{
    /* relaxed, all: figures; an exchange where several write, a difference where one does */
    uint64_t lost = atomic_exchange_explicit(&trace->unringed, 0, memory_order_relaxed);

    pthread_mutex_lock(&trace->lock);
    for (struct thi_trace_ring *ring = trace->rings; ring; ring = ring->next) {
        uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);

        lost += dropped - ring->told;
        ring->told = dropped;
    }
    pthread_mutex_unlock(&trace->lock);
    return lost;
}
