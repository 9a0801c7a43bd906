/* router_state.h: what a router knows; for router.c and router_control.c. */
#ifndef THI_TROUPE_ROUTER_STATE_H
#define THI_TROUPE_ROUTER_STATE_H

#include "troupe/route_key.h"
#include "troupe/routes.h"

/* A message that waits for a routee. */
struct thi_router_waiter {
    struct thi_router_waiter *next;
    th_msg *msg;
};

struct thi_router {
    struct thi_routes routes;
    struct thi_route_key field;
    th_allocator allocator; /* th_alloc() for the routes; its context is the handler's self */
    th_routing routing;
    const th_class *klass;
    th_msg *arg;
    th_router_key_of key; /* or by the field */
    th_blob *key_field;
    uint32_t routees_max, waiting_max;

    struct thi_router_waiter *waiting, *waiting_last;
    uint64_t waiting_count;
    uint64_t messages, passed, refused, failed; /* O1 */

    const th_msg *trying; /* the message at hand has failed before */
    uint32_t tries;
    uint32_t told; /* to all: so many of the open have it, O3 */

    uint64_t wakeup; /* the pending one, or 0 */
    bool exiting;    /* nobody is started any more */
};

/* router_control.c */

/** Makes @whom, who is none yet, a guest, watched. TH_E_LIMIT, TH_E_NOMEM, or as
 * th_watch_actor(). */
th_err thi_router_invite(th_self *self, struct thi_router *router, th_addr whom);

/** What a router says of itself: th_class.status. */
th_msg *thi_router_status(th_self *self, const void *state);

/** Does what one of the router's own messages wants, and answers it. false: @msg is none of those,
 * and to be passed on. */
bool thi_router_control(th_self *self, struct thi_router *router, const th_msg *msg,
                        th_err *err_out);

#endif
