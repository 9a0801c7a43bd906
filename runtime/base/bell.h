/* bell.h: how a service thread of the runtime sleeps until there is something to do.
 *
 * One thread waits, any thread rings. Rings before the wait are not lost, and several count as one.
 * Who decides to sleep must make sure, by a lock or an atomic exchange, that whoever brings work
 * from then on knows to ring. */
#ifndef THI_BASE_BELL_H
#define THI_BASE_BELL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/futex.h"

struct thi_bell {
    _Atomic uint32_t rung;
};

static inline void thi_bell_init(struct thi_bell *bell)
{
    atomic_init(&bell->rung, 0);
}

static inline void thi_bell_ring(struct thi_bell *bell)
{
    /* release: what the ring is about comes first; pairs with the acquire in thi_bell_heard() */
    atomic_store_explicit(&bell->rung, 1, memory_order_release);
    thi_futex_wake(&bell->rung, 1);
}

/* Whether it rang since the last time. */
static inline bool thi_bell_heard(struct thi_bell *bell)
{
    /* acquire: pairs with the release in thi_bell_ring(). An exchange, so that what we saw is the
     * last of several rings, and none is wiped out unseen. */
    return atomic_exchange_explicit(&bell->rung, 0, memory_order_acquire) != 0;
}

/* True: it rang. False: @deadline_ns has passed on CLOCK_MONOTONIC; UINT64_MAX never does. */
static inline bool thi_bell_wait(struct thi_bell *bell, uint64_t deadline_ns)
{
    while (!thi_bell_heard(bell))
        if (!thi_futex_wait(&bell->rung, 0, deadline_ns))
            return false;
    return true;
}

#endif
