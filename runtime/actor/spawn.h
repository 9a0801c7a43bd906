/* runtime/actor/spawn.h: a child here. */
#ifndef THI_ACTOR_SPAWN_H
#define THI_ACTOR_SPAWN_H

#include "runtime/actor/stage.h"

/* th_spawn_with(), plus @report_to: who is sent thi_started after init (none: nobody). */
th_err thi_spawn(th_self *self, const th_spawn_options *options, th_addr report_to,
                 th_addr *addr_out);

/* The system's own actor, at start: no parent, slot 0. */
th_err thi_spawn_admin(th_self *self, const th_class *klass);

#endif
