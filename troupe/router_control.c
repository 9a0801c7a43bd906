/* router_control.c: the messages that a router keeps for itself: join and leave, limits, status.
 *
 * The envelope of an answer is had before anything is done, so that what was done is also said. */
#include "troupe/router_state.h"

#include <thespis/config.h>
#include <thespis/ties.h>

TH_MESSAGE_TYPE(th_router_join, TH_ROUTER_JOIN_FIELDS)
TH_MESSAGE_TYPE(th_router_leave, TH_ROUTER_JOIN_FIELDS)
TH_MESSAGE_TYPE(th_router_changed, TH_ROUTER_CHANGED_FIELDS)
TH_MESSAGE_TYPE(th_router_set, TH_ROUTER_LIMITS_FIELDS)
TH_MESSAGE_TYPE(th_router_limits, TH_ROUTER_LIMITS_FIELDS)
TH_SIGNAL_TYPE(th_router_ask_status)
TH_MESSAGE_TYPE_AS(th_router_status, TH_ROUTER_STATUS_FIELDS, TH_TYPE_LOCAL | TH_TYPE_REST, NULL)

th_err thi_router_invite(th_self *self, struct thi_router *router, th_addr whom)
{
    th_err err;

    if (router->routes.count >= router->routees_max)
        return TH_E_LIMIT;
    err = th_watch_actor(self, whom);
    if (err || thi_routes_join(&router->routes, whom))
        return err;
    (void)!th_unwatch_actor(self, whom);
    return TH_E_NOMEM;
}

static th_err join(th_self *self, struct thi_router *router, th_addr whom)
{
    if (thi_routes_find(&router->routes, whom, UINT64_MAX))
        return TH_E_EXISTS;
    return thi_router_invite(self, router, whom);
}

static th_err leave(th_self *self, struct thi_router *router, th_addr whom)
{
    struct thi_route *route = thi_routes_find(&router->routes, whom, UINT64_MAX);

    if (!route)
        return TH_E_NO_ACTOR;
    if (route->is_child)
        return TH_E_NOT_ALLOWED;
    (void)!th_unwatch_actor(self, whom); /* or its end is in the mailbox */
    thi_routes_leave(&router->routes, route);
    return TH_OK;
}

/* Nobody may be there to be answered. */
static th_err answer(th_self *self, const th_msg *question, th_msg *msg)
{
    (void)!th_send(self, th_msg_sender(question), msg);
    return TH_OK;
}

static th_err on_change(th_self *self, struct thi_router *router, const th_msg *msg)
{
    const struct th_router_join *ask = th_msg_body(msg);
    struct th_router_changed *body;
    th_msg *changed = th_router_changed_new(self, &body);

    if (!changed)
        return TH_E_NOMEM;
    body->routee = th_addr_is_none(ask->routee) ? th_msg_sender(msg) : ask->routee;
    body->err = th_router_join_of(msg) ? join(self, router, body->routee)
                                       : leave(self, router, body->routee);
    body->routees = router->routes.count;
    return answer(self, msg, changed);
}

static uint32_t count_guests(const struct thi_routes *routes)
{
    uint32_t guests = 0;

    for (uint32_t i = 0; i < routes->count; i++)
        guests += !routes->all[i]->is_child;
    return guests;
}

/* 0 leaves it, TH_ROUTER_NONE is 0. */
static bool wish(uint32_t value, uint32_t max, uint32_t *wish_out)
{
    *wish_out = value == TH_ROUTER_NONE ? 0 : value;
    return value != 0 && *wish_out <= max;
}

static th_err on_set(th_self *self, struct thi_router *router, const th_msg *msg)
{
    const struct th_router_set *set = th_router_set_of(msg);
    struct th_router_limits *body;
    th_msg *limits = th_router_limits_new(self, &body);
    uint32_t guests = count_guests(&router->routes), to;

    if (!limits)
        return TH_E_NOMEM;
    if (wish(set->routees_max, TH_ROUTER_ROUTEES_MAX, &to) && to >= guests)
        router->routees_max = to;
    if (router->klass && guests <= router->routees_max &&
        wish(set->children, router->routees_max - guests, &to))
        thi_routes_seat(&router->routes, to); /* what came of it, the answer says */
    if (wish(set->waiting_max, TH_ROUTER_WAITING_MAX, &to))
        router->waiting_max = to;
    *body = (struct th_router_limits){ .children = router->routes.children,
                                       .routees_max = router->routees_max,
                                       .waiting_max = router->waiting_max };
    return answer(self, msg, limits);
}

th_msg *thi_router_status(th_self *self, const void *state)
{
    const struct thi_router *router = state;
    const struct thi_routes *routes = &router->routes;
    th_msg *status =
        th_msg_create_sized(self, &th_router_status_type, routes->count * sizeof(th_routee));
    th_routee *rows;

    if (!status)
        return NULL;
    *(struct th_router_status *)th_msg_body(status) =
        (struct th_router_status){ .routing = (uint32_t)router->routing,
                                   .routees = routes->count,
                                   .open = routes->open_count,
                                   .children = routes->children,
                                   .routees_max = router->routees_max,
                                   .waiting_max = router->waiting_max,
                                   .messages = router->messages,
                                   .passed = router->passed,
                                   .refused = router->refused,
                                   .failed = router->failed,
                                   .waiting = router->waiting_count,
                                   .deaths = routes->deaths };
    rows = th_msg_rest(status, NULL);
    for (uint32_t i = 0; i < routes->count; i++) {
        const struct thi_route *route = routes->all[i];

        rows[i] = (th_routee){ .addr = route->addr,
                               .sent = route->sent,
                               .outstanding = route->outstanding,
                               .state = (uint32_t)route->state,
                               .is_child = route->is_child };
    }
    return status;
}

static th_err on_ask_status(th_self *self, const struct thi_router *router, const th_msg *msg)
{
    th_msg *status = thi_router_status(self, router);

    return status ? answer(self, msg, status) : TH_E_NOMEM;
}

bool thi_router_control(th_self *self, struct thi_router *router, const th_msg *msg,
                        th_err *err_out)
{
    const th_type *type = th_msg_type(msg);

    if (type == &th_router_join_type || type == &th_router_leave_type)
        *err_out = on_change(self, router, msg);
    else if (type == &th_router_set_type)
        *err_out = on_set(self, router, msg);
    else if (type == &th_router_ask_status_type)
        *err_out = on_ask_status(self, router, msg);
    else
        return false;
    return true;
}
