/* runtime/actor/hold.h: who waits until a mailbox has drained: held senders, and who asked to be
 * told. B2 to B4 of credits.h. */
#ifndef THI_ACTOR_HOLD_H
#define THI_ACTOR_HOLD_H

#include "runtime/actor/credits.h"

/* @self, an actor in its handler, has filled the mailbox of @target: it is held, unless it is
 * already, may not be, has drained meanwhile, or would close a circle. */
void thi_hold(th_self *self, struct thi_cell *target);

/* Somebody waits, and the mailbox of @cell has drained, or its actor exits. In the owner's turn. */
void thi_hold_release(th_self *self, struct thi_cell *cell);

/* thi_released came from the actor @by: the owner is held no more, or again if that is full again:
 * else it could send what it sends in two handlers past the limit. */
void thi_hold_released(th_self *self, struct thi_cell *cell, th_addr by);

/* The owner is held no more, if it was. */
void thi_hold_over(th_self *self, struct thi_cell *cell);

/* Of a cell found in a read section: it takes mail, and its actor does not exit. */
bool thi_hold_is_alive(struct thi_cell *cell);

#endif
