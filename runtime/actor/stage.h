/* runtime/actor/stage.h: what an actor can reach: the context of this floor.
 *
 * One in each th_system. The floors above fill in what they own: system/ the pool or the step, the
 * alarm and the reclaimer, admin/ the admin's class and address. */
#ifndef THI_ACTOR_STAGE_H
#define THI_ACTOR_STAGE_H

#include "runtime/actor/capabilities.h"
#include "runtime/actor/directory.h"
#include "runtime/actor/endpoint.h"
#include "runtime/actor/names.h"
#include "runtime/actor/log.h"
#include "runtime/actor/measure.h"
#include "runtime/actor/watch.h"
#include "runtime/base/clock.h"
#include "runtime/base/origin.h"
#include "runtime/base/reclaim.h"
#include "runtime/sched/alarm.h"
#include "runtime/sched/pool.h"
#include "runtime/sched/step.h"
#include "runtime/sched/timer.h"

/* What waits for memory; stall.h. */
struct thi_stalls {
    pthread_mutex_t lock;
    struct thi_task *first, *last; /* actors */
    th_msg *mail;                  /* messages, the newest first */
    struct thi_timer timer;
};

struct thi_stage {
    th_system *system; /* the front door's handle, for th_self_system() */
    uint64_t id;
    th_base base;
    struct thi_origin *origin; /* what a forked child finds empty */
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
    struct thi_stalls stalls;

    struct thi_endpoint
        ticker; /* who speaks when timers fire: on the alarm's thread, or the driver's */
    struct thi_heap ticker_heap;

    pthread_mutex_t spawn_lock; /* spawning from outside or by name, against closing */
    struct thi_names names;     /* writers under spawn_lock */
    struct thi_capabilities capabilities;
    int stack_signal;           /* what workers let in, for their stacks (base/stack.h); 0: none */
    struct thi_watches watches; /* descriptors and signals */
    bool is_pumped;             /* base SIMPLE, in real time, driven by somebody else's loop */
    th_addr admin;              /* the system's own actor: slot 0 */
    uint32_t last_child; /* the admin's: a child's slot that is asked to exit after all others; 0 */
    pthread_mutex_t cells_lock; /* for those who have no worker: */
    struct thi_cell *cells;     /* spare ones, linked by task.next */
    struct thi_cell_batch retired;
    pthread_mutex_t hold_lock; /* who waits for which mailbox: waiters and held_on of credits.h */
    struct thi_cell *late;     /* closed when the reclaimer was gone, by task.next */
    bool is_late;              /* it is: nothing may be handed to it any more */

    _Atomic(struct thi_route *) route; /* to other systems; NULL: there is none. route.h */

    _Atomic bool closing;             /* no more spawning from outside */
    _Atomic uint32_t letter_handlers; /* how many; the admin keeps who */
    struct thi_stats stats;           /* of those who have no worker: shared adds */
    struct thi_log log;
    struct thi_trace trace;

    void (*admin_gone)(struct thi_stage *stage); /* the last actor has exited; in its last turn */
    void (*shutdown_asked)(th_system *system);   /* th_request_shutdown(), SIGTERM */
    /* the admin was asked how the system is: a th_system_report [give], or NULL: no memory */
    th_msg *(*report)(th_self *self, const th_msg *question);
    void (*signalled)(th_system *system); /* a signal that somebody wants came; on its own thread */
    _Atomic uint64_t wakeup_ids;
    _Atomic uint64_t open_endpoints;
    _Atomic uint64_t open_deputies;

    pthread_mutex_t classes_lock;
    const th_class **classes; /* registered by name */
    uint32_t class_count;
    const th_type **types; /* registered, sorted by name; type_names.h */
    uint32_t type_count, type_room;
    struct thi_measures measures; /* last: it is large */
};

/* The stage that @self plays on. */
static inline struct thi_stage *thi_stage_of(const th_self *self)
{
    return TH_LIKELY(self->worker) ? (struct thi_stage *)self->worker->stage
                                   : thi_endpoint_of_self(self)->stage;
}

/* Simple base, under step.lock: what happened is news to whoever sleeps until something does, and
 * to the loop that pumps. Not while somebody drives: who does looks before leaving. */
static inline void thi_stage_nudge(struct thi_stage *stage)
{
    struct thi_step *step = &stage->step;

    if (TH_LIKELY(!stage->watches.poller.is_open) || step->drivers)
        return;
    if (step->sleepers || (stage->is_pumped && step->ready_count))
        thi_poller_ring(&stage->watches.poller);
    if (step->sleepers)
        pthread_cond_broadcast(&step->changed);
}

/* A timer was added that is due before all others. @in_turn: by an actor that runs, so somebody
 * drives, and looks. */
static inline void thi_stage_timer_added(struct thi_stage *stage, bool in_turn)
{
    if (stage->base == TH_BASE_POOL) {
        thi_alarm_poke(&stage->alarm);
    } else if (!in_turn) {
        pthread_mutex_lock(&stage->step.lock);
        if (stage->watches.poller.is_open && !stage->step.drivers)
            thi_poller_ring(&stage->watches.poller);
        pthread_mutex_unlock(&stage->step.lock);
    }
}

/* Around what an outsider does to the system's cells: a read section, and on the simple base the
 * right to make somebody runnable. Nests; on the thread that drives it costs nothing. */
static inline void thi_stage_enter(struct thi_stage *stage)
{
    if (stage->base == TH_BASE_SIMPLE)
        pthread_mutex_lock(&stage->step.lock);
    thi_reclaim_enter();
}

static inline void thi_stage_leave(struct thi_stage *stage)
{
    thi_reclaim_leave();
    if (stage->base != TH_BASE_SIMPLE)
        return;
    thi_stage_nudge(stage);
    pthread_mutex_unlock(&stage->step.lock);
}

/* Moments are 2^24 cycles, on the simple base nanoseconds: some milliseconds, and 32 bits of them
 * are months. What a worker's last look around knew is good enough, and costs no clock. */
enum { THI_MOMENT_BITS = 24 };

static inline uint32_t thi_stage_moment(th_self *self)
{
    struct thi_stage *stage = thi_stage_of(self);

    if (TH_UNLIKELY(stage->base == TH_BASE_SIMPLE))
        return (uint32_t)(thi_clock_now(&stage->clock) >> THI_MOMENT_BITS);
    if (TH_LIKELY(self->worker && self->worker->kind <= THI_WORKER_SPARE))
        return (uint32_t)(self->worker->check_cycles >> THI_MOMENT_BITS);
    return (uint32_t)(thi_cycles() >> THI_MOMENT_BITS);
}

/* How long ago @born was, nanoseconds. From any thread. */
static inline uint64_t thi_stage_age_ns(struct thi_stage *stage, uint32_t born)
{
    bool is_simple = stage->base == TH_BASE_SIMPLE;
    uint64_t now = is_simple ? thi_clock_now(&stage->clock) : thi_cycles();
    uint32_t moments = (uint32_t)(now >> THI_MOMENT_BITS) - born;
    uint64_t age = (uint64_t)moments << THI_MOMENT_BITS;

    if ((int32_t)moments < 0)
        return 0; /* another core's counter, a little ahead */
    return is_simple ? age : thi_cycles_to_ns(&stage->pool.rate, age);
}

static inline bool thi_stage_is_down(struct thi_stage *stage)
{
    /* acquire: pairs with the release in th_system_shutdown(); who finds it up and posts late finds
     * closed inboxes */
    return !atomic_load_explicit(&stage->origin->is_up, memory_order_acquire);
}

/* What an outsider's call has to answer: TH_E_CLOSED, TH_E_FORKED. */
static inline th_err thi_stage_check(struct thi_stage *stage)
{
    if (TH_LIKELY(!thi_stage_is_down(stage)))
        return TH_OK;
    /* relaxed: 0 is there from the child's first moment on, or never */
    return atomic_load_explicit(&stage->origin->state, memory_order_relaxed) ? TH_E_CLOSED
                                                                             : TH_E_FORKED;
}

#endif
