/* runtime/actor/spawn.h: a child here. */
#ifndef THI_ACTOR_SPAWN_H
#define THI_ACTOR_SPAWN_H

#include "runtime/actor/stage.h"

/* What a spawn came to. */
enum thi_spawned {
    THI_SPAWNED_NEW,
    THI_SPAWNED_FOUND,         /* the actor that has the global name */
    THI_SPAWNED_FOUND_STARTING /* the same; its init has not run yet */
};

/* th_spawn_with(), plus @report_to: who is sent thi_started after init of a new actor (none:
 * nobody). @spawned_out may be NULL. */
th_err thi_spawn(th_self *self, const th_spawn_options *options, th_addr report_to,
                 th_addr *addr_out, enum thi_spawned *spawned_out);

/* The system's own actor, at start: no parent, slot 0. */
th_err thi_spawn_admin(th_self *self, const th_class *klass);

/* From here on nothing is spawned from outside; what was is known to the admin before anything sent
 * after. */
void thi_spawn_close(struct thi_stage *stage);

/* The first turn: init. true: the cell is dead and must not be touched any more. */
bool thi_spawn_start(th_self *self, struct thi_cell *cell);

/* At the end: the state's memory goes back. In the cell's own turn. */
void thi_state_free(struct thi_stage *stage, struct thi_cell *cell);

#endif
