/* runtime/actor/record.h: what points saw, for who traces (base/trace_ring.h).
 *
 * On the way of a message nothing asks whether somebody does. While somebody does, workers run
 * turns by thi_receive_traced(), which has the deliveries go through detour.c and the sends through
 * what a send has to heed (THI_HEED_TRACE). What happens seldom asks by thi_record_is_on(). */
#ifndef THI_ACTOR_RECORD_H
#define THI_ACTOR_RECORD_H

#include "runtime/actor/stage.h"
#include "runtime/base/trace_ring.h"

static inline bool thi_record_is_on(const th_self *self)
{
    return thi_trace_is_on(&thi_stage_of(self)->trace);
}

/* Whether what happens in this turn is to be recorded. */
bool thi_record_is_wanted(struct thi_worker *worker);

/* Something of @actor's happened now. @name [keep] is a class's, a type's, or NULL. */
void thi_record(th_self *self, enum thi_trace_kind kind, const char *name, th_addr actor,
                th_addr other, uint64_t number);

/* @self has made @cell; @self is @cell and exits. Apart, so that the caller, who does that often,
 * need not have more at hand. */
void thi_record_spawn(th_self *self, const struct thi_cell *cell);
void thi_record_exit(th_self *self, const struct thi_cell *cell);

/* @self is about to send @msg to @to. */
void thi_record_send(th_self *self, th_addr to, const th_msg *msg);

/* A turn of @cell, or a delivery of @msg to @self, begins: *@event_out has all but its end. */
void thi_record_turn(struct thi_worker *worker, const struct thi_cell *cell,
                     struct thi_trace_event *event_out);
void thi_record_handle(th_self *self, const th_msg *msg, struct thi_trace_event *event_out);
void thi_record_end(struct thi_worker *worker, struct thi_trace_event *event);

#endif
