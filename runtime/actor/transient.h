/* runtime/actor/transient.h: actors that leave by themselves, at an age or when nobody needs them.
 *
 * T1. There is one timer, set from the first turn on: to never, until the first message comes. It
 *     is moved rarely: a message only notes the time, and the timer, when it fires, looks at that
 *     and goes on to the moment that matters now. Neither needs memory.
 * T2. `msg` says to the actor that its time is up. It is here, or on its way: fire sends it and has
 *     the timer wait for never; the actor, when it gets it, exits, or (there was work before it in
 *     the mailbox) puts it back and moves the timer. So at most one is under way.
 * T3. `active_ns` is written by the actor and read by fire, whenever. The rest is the actor's while
 *     the timer waits for never, and constant otherwise.
 * T4. An actor may answer th_exit_later(): its limits begin anew. The message for the next time is
 *     made before it is asked, and without memory for it the actor is asked a little later. */
#ifndef THI_ACTOR_TRANSIENT_H
#define THI_ACTOR_TRANSIENT_H

#include <stdatomic.h>

#include "runtime/sched/timer.h"
#include "runtime/actor/cell.h"

struct thi_transient {
    struct thi_timer timer; /* first */
    th_addr owner;
    uint64_t age_ns, idle_ns; /* TH_FOREVER: without limit */
    uint64_t age_deadline;    /* UINT64_MAX before the first message */
    _Atomic uint64_t active_ns;
    th_msg *msg; /* NULL: on its way */
    bool has_begun;
};

/* In the first turn. 0 is no limit. TH_E_NOMEM, TH_E_LIMIT. */
th_err thi_transient_start(th_self *self, struct thi_cell *cell, uint64_t age_ns, uint64_t idle_ns);

/* Whether deliveries are to be noted. */
bool thi_transient_is_watching(const struct thi_cell *cell);

/* A message that is not the system's is about to be handled. */
void thi_transient_note(th_self *self, struct thi_cell *cell);

/* The timer fired; on the alarm's thread or the driver's. */
void thi_transient_fire(struct thi_stage *stage, struct thi_timer *timer);

/* thi_time_up came [take unless true]: whether the time is up. */
bool thi_transient_is_up(th_self *self, struct thi_cell *cell, th_msg *msg);

/* After true: the actor was asked to exit, and does not yet. */
void thi_transient_goes_on(th_self *self, struct thi_cell *cell);

/* When the exit begins. */
void thi_transient_stop(th_self *self, struct thi_cell *cell);

#endif
