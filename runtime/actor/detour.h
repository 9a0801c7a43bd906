/* runtime/actor/detour.h: deliveries to actors of which something more is asked than to run the
 * handler of their class. */
#ifndef THI_ACTOR_DETOUR_H
#define THI_ACTOR_DETOUR_H

#include "runtime/actor/cell.h"

/* One delivery to an actor with THI_CELL_DETOUR; else as call() of receive.c. */
th_err thi_detour(th_self *self, struct thi_cell *cell, const th_msg *msg);

/* After one of what is asked has come or gone: raises or lowers the flag. */
void thi_detour_settle(struct thi_cell *cell);

/* Around the init of a restart. What it has become is forgotten; what is stashed comes back. An
 * error is as one of init. */
void thi_detour_restart_begin(struct thi_cell *cell);
th_err thi_detour_restart_end(th_self *self, struct thi_cell *cell, th_err err);

/* At the actor's end: what all of it holds. */
void thi_detour_fini(th_self *self, struct thi_cell *cell, th_dead_reason reason);

/* The testkit's: the next @times deliveries fail with @err. TH_E_NOMEM. */
th_err thi_detour_inject(struct thi_stage *stage, struct thi_cell *cell, th_err err,
                         uint32_t times);

#endif
