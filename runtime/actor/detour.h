/* runtime/actor/detour.h: deliveries to actors of which something more is asked than to run the
 * handler of their class. */
#ifndef THI_ACTOR_DETOUR_H
#define THI_ACTOR_DETOUR_H

#include "runtime/actor/cell.h"

/* One delivery to an actor with THI_CELL_DETOUR; else as call() of receive.c. */
th_err thi_detour(th_self *self, struct thi_cell *cell, const th_msg *msg);

/* The testkit's: the next @times deliveries fail with @err. TH_E_NOMEM. */
th_err thi_detour_inject(struct thi_stage *stage, struct thi_cell *cell, th_err err,
                         uint32_t times);

#endif
