/* runtime/actor/receive.h: every journey ends: batch, handler, verdict. Fills the thi_task seam. */
#ifndef THI_ACTOR_RECEIVE_H
#define THI_ACTOR_RECEIVE_H

#include "runtime/actor/stage.h"

extern const struct thi_task_ops thi_receive_ops;

#endif
