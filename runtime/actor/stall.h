/* runtime/actor/stall.h: actors and messages that wait for memory.
 *
 * What has to happen and lacks memory (an exit, above all) is tried again TH_STALL_NS later; the
 * worker does something else meanwhile. The wait itself takes no memory: the cell's task is the
 * link, the timer is the reserved one (T6 of sched/timer.h).
 *
 * S1. A cell that waits here is in no other queue, and its inbox is not ASLEEP: mail gathers, and
 *     nobody else has it run (C1 of cell.h).
 * S2. While anything waits, the timer is PENDING, or FIRING and yet to take the list. */
#ifndef THI_ACTOR_STALL_H
#define THI_ACTOR_STALL_H

#include "runtime/actor/stage.h"

void thi_stalls_init(struct thi_stalls *stalls);
void thi_stalls_fini(struct thi_stalls *stalls);

/* At the end of @cell's turn, instead of sleeping or queueing: from here on it is not the
 * caller's. */
void thi_stall_wait(struct thi_stage *stage, struct thi_cell *cell);

/* @msg [take], whose target has no memory for it now, is delivered anew later. */
void thi_stall_post(struct thi_stage *stage, th_msg *msg);

/* When nobody lives any more and no timer fires: what still waits is gone. */
void thi_stalls_clear(struct thi_stage *stage, th_self *self);

/* The timer fell due: all have another turn. Called by thi_timer_fire() (wakeup.h). */
void thi_stall_fire(struct thi_stage *stage);

#endif
