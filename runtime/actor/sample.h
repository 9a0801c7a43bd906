/* runtime/actor/sample.h: how long messages wait and are handled, of a few of them.
 *
 * Some look arounds of a worker (sched/worker.c) pick one of its next turns. In it the first
 * delivery is timed, and the next send of that worker is preceded by a probe: a message of the
 * runtime that carries the time and waits where the user's message waits, just before it. So turns
 * that are not picked run the same instructions as with nobody measuring. */
#ifndef THI_ACTOR_SAMPLE_H
#define THI_ACTOR_SAMPLE_H

#include "runtime/actor/cell.h"

/* @self's worker is to sample its next delivery and its next send. */
void thi_sample_begin(struct thi_worker *worker);

/* Before a send to @to by a worker that heeds THI_HEED_SAMPLE. */
void thi_sample_send(th_self *self, th_addr to);

/* A probe has arrived at @cell, whose turn it is. */
void thi_sample_arrived(th_self *self, struct thi_cell *cell, const th_msg *probe);

#endif
