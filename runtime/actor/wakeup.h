/* runtime/actor/wakeup.h: th_wakeup_after(), with payload.
 *
 * A pending wakeup lives in the very message that it will be: the timer and its bookkeeping lie
 * behind the body, so that firing needs no memory. A periodic one stays where it is and sends
 * copies.
 *
 * K1. While PENDING or FIRING (sched/timer.h) it belongs to its actor, and is in the actor's table,
 *     under its id.
 * K2. A one-shot whose thi_timers_done() said true is on its way, and belongs to whoever holds the
 *     message; it stays in the table until the actor sees it arrive, cancels it, or exits.
 * K3. The table has the last word: a firing that arrives and is not in it was cancelled on its
 *     way, and goes no further. So a cancel that found its wakeup holds, whatever the alarm is at.
 */
#ifndef THI_ACTOR_WAKEUP_H
#define THI_ACTOR_WAKEUP_H

#include "runtime/actor/stage.h"

struct thi_wakeup {
    struct thi_timer timer;
    struct thi_wakeup *next; /* in its bucket; the actor's */
    th_msg *msg;             /* that this lies behind */
    th_addr owner;
    uint64_t id;
    uint64_t period_ns; /* 0: once */
    uint64_t count;     /* firings so far */
};

/* @msg is a th_wakeup that arrived at @cell, whose handle is @self; to be asked once, before
 * anybody sees or frees it. false: it was cancelled on its way, drop it. Another's, which somebody
 * forwarded, is a message like any other. */
bool thi_wakeup_arrived(th_self *self, struct thi_cell *cell, const th_msg *msg);

/* At the actor's exit, or the endpoint's close: cancels what is pending, releases the payloads. */
void thi_wakeups_clear(th_self *self, struct thi_cell *cell);

/* How many are pending, its deputies' included; in its turn, or when the system is down. */
uint32_t thi_wakeups_count(struct thi_cell *cell);

/* The fire function (sched/alarm.h) for every timer of a system: wakeups and question time limits;
 * @context is the stage. Speaks as stage->ticker. On the simple base the driver calls it. */
void thi_timer_fire(void *context, struct thi_timer *timer);

#endif
