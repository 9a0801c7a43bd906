/* runtime/system/census.h: who lives in a system, as seen from outside.
 *
 * Only what may be read while the actors run. What only their own worker knows, status.c asks
 * them. */
#ifndef THI_SYSTEM_CENSUS_H
#define THI_SYSTEM_CENSUS_H

#include "runtime/system/system.h"
#include <thespis/status.h>

/* The first live actor at *@slot or after it; *@slot is past it then. false: there is none. The
 * admin is not counted. */
bool thi_census_next(th_system *system, uint32_t *slot, th_actor_status *status_out,
                     bool *is_idle_out);

/* The same of those that have more to say; without it. */
bool thi_census_next_service(th_system *system, uint32_t *slot, th_service_status *status_out);

/* That actor. false: it does not live. */
bool thi_census_find(th_system *system, th_addr addr, th_actor_status *status_out);

/* The mailbox of a cell in a read section, which is an actor's (mailbox_read.c). */
void thi_mailbox_look(struct thi_stage *stage, struct thi_cell *cell, th_mailbox_state *state_out);

/* The workers as they are now: *@workers_out [give] of *@count_out, by thi_memory_give(). false: no
 * memory. Nothing after the pool has stopped. */
bool thi_census_workers(th_system *system, th_worker_status **workers_out, size_t *count_out);

/* Whose turn it is on @worker; none and NULL: nobody's. */
void thi_census_turn(th_system *system, struct thi_worker *worker, th_addr *addr_out,
                     const char **class_name_out);

/* Calls @leftover for each, with what it is doing. */
void thi_census_leftovers(th_system *system, th_leftover leftover, void *context);

/* Simple base, under step.lock: how many messages wait for @cell, and which is the @index-th:
 * in the order they will be handled. NULL: fewer wait. */
size_t thi_census_depth(struct thi_cell *cell);
const th_msg *thi_census_peek(struct thi_cell *cell, size_t index);

#endif
