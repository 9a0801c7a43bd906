/* runtime/actor/stage.h: what an actor can reach: the context of this floor.
 *
 * One in each th_system. The floors above fill in what they own: system/ the pool or the step, the alarm and the reclaimer,
 * admin/ the admin's class and address. */
#ifndef THI_ACTOR_STAGE_H
#define THI_ACTOR_STAGE_H

#include "runtime/actor/directory.h"
#include "runtime/actor/endpoint.h"
#include "runtime/base/clock.h"
#include "runtime/base/reclaim.h"
#include "runtime/sched/alarm.h"
#include "runtime/sched/pool.h"
#include "runtime/sched/step.h"
#include "runtime/sched/timer.h"

struct thi_stage {
    th_system *system; /* the front door's handle, for th_self_system() */
    uint64_t id;
    th_base base;
    struct thi_memory memory;
    struct thi_depot depot;
    struct thi_directory directory;
    struct thi_clock clock;

    struct thi_pool pool; /* base POOL */
    struct thi_reclaimer reclaimer;
    struct thi_alarm alarm;
    struct thi_step step; /* base SIMPLE */
    struct thi_timers timers;
    uint32_t timers_max;

    th_addr admin;         /* the system's own actor: slot 0 */
    _Atomic bool closing;  /* no more spawning from outside */
    _Atomic uint32_t letter_handlers; /* how many; the admin keeps who */
    struct thi_stats stats; /* of those who have no worker: shared adds */

    void (*shutdown_asked)(th_system *system); /* th_request_shutdown(), SIGTERM */
    _Atomic uint64_t wakeup_ids;
    _Atomic uint64_t open_endpoints;

    pthread_mutex_t classes_lock;
    const th_class **classes; /* registered by name */
    uint32_t class_count;
};

/* The stage that @self plays on. */
static inline struct thi_stage *thi_stage_of(const th_self *self)
{
    return TH_LIKELY(self->worker) ? (struct thi_stage *)self->worker->stage
                                   : thi_endpoint_of_self(self)->stage;
}

#endif
