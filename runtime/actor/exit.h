/* runtime/actor/exit.h: children first, then child-exited. */
#ifndef THI_ACTOR_EXIT_H
#define THI_ACTOR_EXIT_H

#include "runtime/actor/stage.h"

/* Starts the exit of the running actor; it is EXITING until its children have exited. Again: no
 * effect. */
void thi_exit_begin(th_self *self, struct thi_cell *cell, th_exit_reason reason);

/* Goes on with an exit as far as it can. true: the cell is dead and must not be touched any
 * more. */
bool thi_exit_advance(th_self *self, struct thi_cell *cell);

/* A child of @cell is gone, says @notice (thi_child_gone): out of the list, its slot retired.
 * false: it was given away before; the notice [take] is on its way to the admin. */
TH_NODISCARD bool thi_exit_child_gone(th_self *self, struct thi_cell *cell, th_msg *notice);

/* A notice (thi_child_gone) [take] that could not be delivered: to the admin, or nobody is left to
 * hear of it. */
void thi_exit_notice_undeliverable(th_self *self, th_msg *notice);

/* Puts @child into @parent's list (C4: by the parent's turn, or before it can run). */
void thi_children_add(struct thi_stage *stage, struct thi_cell *parent, struct thi_cell *child);

/* Whether the actor that @self is has said th_exit() in the handler that runs. */
bool thi_exit_is_asked(const th_self *self);

#endif
