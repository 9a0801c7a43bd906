/* runtime/sched/benefit.h: is another worker worth it?
 *
 * Pressure (worker.c) wakes a worker when there is much to do. Whether two then do more than one
 * depends on what the actors do: when messages are cheap and their actors talk to each other, each
 * message costs a cache line between cores, and two workers can be several times slower than one.
 * No estimate tells the two cases apart, so it is measured.
 *
 * B1. Every TH_BENEFIT_WINDOW_NS one worker sums up what all handled, and notes the rate for that
 * many running workers, the best of late. A window counts only if nobody parked in it: the others
 * say nothing about what is possible. B2. If messages are cheap (TH_BENEFIT_CHEAP_NS) and the rate
 * is not clearly above the best of one worker fewer, this one hands its queue over and parks, and
 * for a while it takes more pressure to wake another. B3. If the rate of one worker fewer is not
 * known, one parks to learn it, without that consequence. */
#ifndef THI_SCHED_BENEFIT_H
#define THI_SCHED_BENEFIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <ck_spinlock.h>

#include <thespis/config.h>

struct thi_pool;
struct thi_worker;

struct thi_benefit {
    ck_spinlock_t lock;        /* what follows; only ever tried */
    uint64_t start_ns;         /* of the window */
    uint64_t handled, parks;   /* then */
    uint32_t running;          /* then */
    uint64_t penalty_since_ns; /* when `penalty` was last changed */
    uint64_t rates[TH_WORKERS_MAX + TH_SPARE_WORKERS_MAX +
                   1]; /* messages a millisecond, by running workers */

    _Atomic uint32_t
        penalty; /* factor on TH_WAKE_PRESSURE_NS; written under the lock, read anywhere */
};

void thi_benefit_init(struct thi_benefit *benefit);

/* From a worker that looks around. true: it should hand over its queue and park. */
bool thi_benefit_look(struct thi_worker *worker, uint64_t now_ns);

/* The queued work, in nanoseconds, that pays for waking another worker, for now. */
uint64_t thi_benefit_pressure(const struct thi_benefit *benefit);

#endif
