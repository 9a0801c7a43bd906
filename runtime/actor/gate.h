/* runtime/actor/gate.h: turns of actors whose mail is not simply next in line. */
#ifndef THI_ACTOR_GATE_H
#define THI_ACTOR_GATE_H

#include "runtime/actor/cell.h"

/* Whose turns are not receive.c's. */
#define THI_CELL_GATE (THI_CELL_GATED | THI_CELL_HELD)

/* A whole turn of a cell with one of those flags, to its end: afterwards the cell is not ours. */
void thi_gate_turn(th_self *self, struct thi_cell *cell);

/* A class's list of urgent types: what follows sees to them. TH_E_NOMEM. */
th_err thi_gate_make(struct thi_stage *stage, struct thi_cell *cell);

/* The chain @mail to @tail, which had been taken before, goes in front of what waits: each message
 * in front of its run. */
void thi_gate_put_back(struct thi_cell *cell, th_msg *mail, th_msg *tail);

/* Whether @msg is of a type that the class of @cell wants before others. */
bool thi_gate_is_urgent(const struct thi_cell *cell, const th_msg *msg);

#endif
