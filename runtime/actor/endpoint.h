/* runtime/actor/endpoint.h: what this floor knows of an endpoint: who speaks, and how to wake its
 * thread.
 *
 * system/external.c makes endpoints and embeds this as the first member of its own struct. */
#ifndef THI_ACTOR_ENDPOINT_H
#define THI_ACTOR_ENDPOINT_H

#include "runtime/actor/cell.h"

struct thi_endpoint {
    th_self self; /* first; self.worker is NULL, which is how an endpoint is told from an actor */
    struct thi_stage *stage;
    struct thi_cell *cell; /* kind ENDPOINT; cell->state is this struct */
    th_addr addr;
    /* Its inbox was asleep and has mail now. From any thread, inside a read section: cheap, never
     * blocks. */
    void (*wake)(struct thi_endpoint *endpoint);
    /* A grace period after its cell was retired: nobody is in wake() any more. Frees it. */
    void (*release)(struct thi_endpoint *endpoint);
    struct thi_office *office; /* a deputy's: it has neither cell nor wake (deputy.h); or NULL */
    bool keeps_gate;           /* who changes log thresholds finds it (L1 of log.h) */
};

static inline struct thi_endpoint *thi_endpoint_of_self(const th_self *self)
{
    return (struct thi_endpoint *)(uintptr_t)self;
}

#endif
