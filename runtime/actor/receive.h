/* runtime/actor/receive.h: every journey ends: batch, handler, verdict. Fills the thi_task seam. */
#ifndef THI_ACTOR_RECEIVE_H
#define THI_ACTOR_RECEIVE_H

#include "runtime/actor/stage.h"

extern const struct thi_task_ops thi_receive_ops;

/* A turn that says what it handles, for thi_pool_set_turn(). */
void thi_receive_watched(struct thi_worker *worker, struct thi_task *task);

/* A turn that is recorded, with what happens in it, as long as the stage's trace is on. */
void thi_receive_traced(struct thi_worker *worker, struct thi_task *task);

/* The type of what @worker handles in such a turn, or NULL. From any thread. */
const th_type *thi_receive_now(struct thi_worker *worker);

/* ---- for turns of another kind (gate.c) ---- */

/* Puts what an inbox gave behind what is already waiting; urgent mail before all that is not. */
void thi_receive_file(struct thi_cell *cell, th_msg *mail, th_msg *tail, th_msg *urgent);

/* Handles @msg [take], which was unlinked, and sees to an exit that was asked for. true: the cell
 * is dead, and must not be touched any more. */
bool thi_receive_one(th_self *self, struct thi_cell *cell, th_msg *msg);

/* Whether a turn that began at *@start (0: now) has lasted long enough. */
bool thi_receive_is_time_up(struct thi_worker *worker, uint64_t *start);

#endif
