/* runtime/actor/events.h: what the runtime itself logs of actors. All limited: a second has room
 * for TH_LOG_RATE_EVENTS of one kind, and for the count of the others. */
#ifndef THI_ACTOR_EVENTS_H
#define THI_ACTOR_EVENTS_H

#include "runtime/actor/stage.h"

/* WARN: all deliveries of @msg failed. */
void thi_event_failed(th_self *self, const struct thi_cell *cell, const th_msg *msg, th_err err,
                      const char *details);

/* WARN: its init did. */
void thi_event_init_failed(th_self *self, const struct thi_cell *cell, th_err err);

/* INFO, for letters of a shutdown DEBUG: one kind of event is from, to and type. */
void thi_event_dead(th_self *self, const th_msg *msg, th_dead_reason reason);

/* What befell the link to the system @peer ("": no one), in words. */
void thi_event_link(th_self *self, th_log_level level, const char *peer, const char *text);

#endif
