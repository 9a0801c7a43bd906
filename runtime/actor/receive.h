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

#endif
