/* runtime/actor/route.h: seam: an address of another system.
 *
 * Declared here, filled in by transport/. Mail for another system waits in a box: a cell of kind
 * ENDPOINT, with credits (credits.h) but no address that anybody sends to. So an actor that writes
 * faster than the network is held like one that fills a mailbox, by the same code.
 *
 * R1. A route is set while the system runs, once, is closed when its last actor has exited, and
 *     lives as long as its system.
 * R2. What is in a box was counted as accepted. Its owner counts it as handled once the other
 *     system has it, or gives it to thi_undeliverable() or thi_poison_back(). */
#ifndef THI_ACTOR_ROUTE_H
#define THI_ACTOR_ROUTE_H

#include "runtime/actor/stage.h"

struct thi_route {
    /* The box of the way to @system; NULL: nothing links the two. In a read section, any thread. */
    struct thi_cell *(*find)(struct thi_route *route, uint64_t system);
    /* The last actor has exited: sends what can be sent in a moment, ends its threads. */
    void (*close)(struct thi_route *route);
    /* Every grace period has passed: frees it. */
    void (*destroy)(struct thi_route *route);
};

/* TH_E_STATE: there is one. */
th_err thi_route_set(struct thi_stage *stage, struct thi_route *route);

/* It has failed to start, and nobody has used it. */
void thi_route_unset(struct thi_stage *stage);

/* NULL: none was set. */
struct thi_route *thi_route_of(struct thi_stage *stage);

/* Its route is closed, if there is one; with the system it is destroyed. */
void thi_route_close(struct thi_stage *stage);
void thi_route_destroy(struct thi_stage *stage);

/* Delivers @msg [take], for another system and counted as accepted, to the box of the way there; a
 * dead letter if there is none. In a read section. Otherwise as thi_credits_deliver(). */
th_err thi_route_deliver(th_self *self, th_msg *msg, bool may_refuse);

/* The box of the way to @to's system, another than ours; NULL: none. In a read section. */
struct thi_cell *thi_route_box(struct thi_stage *stage, th_addr to);

#endif
