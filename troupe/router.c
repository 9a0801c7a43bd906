/* router.c: an actor that passes messages on.
 *
 * The routes decide who is there and who is next (routes.h); this file turns messages into their
 * events and their actions into spawns and exit requests, and forwards the rest.
 *
 * What the router is told and asked itself is met in router_control.c.
 *
 * O1. A message is passed, refused (a dead letter), failed (poison), or waiting, and only one of
 *     them; th_router_status says so.
 * O2. Messages wait only while nobody is open: so none overtakes those that wait.
 * O3. Of a message to all that met a lack of memory part-way, each routee gets one: the runtime
 *     delivers it to us again, and we go on where we stopped.
 *
 * The two headers from below: a dead letter's reason and poison are the system's to give, and the
 * front door lets nobody else. */
#include "troupe/router_start.h"
#include "troupe/router_state.h"

#include "runtime/actor/dead_letter.h"
#include "runtime/actor/poison.h"

#include <thespis/assert.h>
#include <thespis/config.h>
#include <thespis/dispatch.h>
#include <thespis/ties.h>

#include <string.h>

static void *routes_alloc(void *context, size_t size)
{
    return th_alloc(context, size);
}

static void routes_free(void *context, void *memory, size_t size)
{
    th_free(context, memory, size);
}

/* ---- passing on ---- */

static void mark(th_self *self, struct thi_route *route)
{
    if (th_ask_handled_send(self, route->addr, (struct th_ask_handled){ .token = route->index }))
        thi_route_unmarked(route);
}

static th_err pass_to(th_self *self, const struct thi_router *router, struct thi_route *route,
                      const th_msg *msg)
{
    th_err err = th_forward(self, route->addr, msg);

    if (err)
        return err;
    route->sent++;
    if (router->routing == TH_ROUTE_BY_LOAD && thi_route_sent(route))
        mark(self, route);
    return TH_OK;
}

/* To the one behind it, when one is full. */
static th_err pass_in_turn(th_self *self, struct thi_router *router, const th_msg *msg)
{
    struct thi_routes *routes = &router->routes;
    th_err err = pass_to(self, router, thi_routes_in_turn(routes), msg);

    if (err != TH_E_FULL || routes->open_count < 2)
        return err;
    return pass_to(self, router, thi_routes_in_turn(routes), msg);
}

/* Of the two that were chosen to the other one, when the first is full. */
static th_err pass_by_load(th_self *self, struct thi_router *router, const th_msg *msg)
{
    struct thi_route *other, *route = thi_routes_least(&router->routes, th_random(self), &other);
    th_err err = pass_to(self, router, route, msg);

    return err == TH_E_FULL && other ? pass_to(self, router, other, msg) : err;
}

/* One that refuses is passed over; for want of memory all stop here.  O3 */
static th_err pass_to_all(th_self *self, struct thi_router *router, const th_msg *msg)
{
    struct thi_routes *routes = &router->routes;

    for (; router->told < routes->open_count; router->told++)
        if (pass_to(self, router, routes->open[router->told], msg) == TH_E_NOMEM)
            return th_fail(self, TH_E_NOMEM, "%u of %u routees were told", router->told,
                           routes->open_count);
    router->told = 0;
    return TH_OK;
}

static bool find_key(struct thi_router *router, const th_msg *msg, uint64_t *key_out)
{
    if (!router->key)
        return thi_route_key_of(&router->field, msg, key_out);
    *key_out = router->key(msg);
    return true;
}

/* Somebody is open. */
static th_err pass(th_self *self, struct thi_router *router, const th_msg *msg, uint64_t key)
{
    struct thi_routes *routes = &router->routes;

    switch (router->routing) {
    case TH_ROUTE_IN_TURN: return pass_in_turn(self, router, msg);
    case TH_ROUTE_BY_KEY: return pass_to(self, router, thi_routes_by_key(routes, key), msg);
    case TH_ROUTE_BY_LOAD: return pass_by_load(self, router, msg);
    case TH_ROUTE_TO_ALL: return pass_to_all(self, router, msg);
    }
    TH_NEVER("a fifth routing");
}

/* ---- waiting ---- */

static th_err refuse(th_self *self, struct thi_router *router, const th_msg *msg,
                     th_dead_reason reason)
{
    th_msg *copy = th_msg_dup(self, msg);

    if (!copy)
        return TH_E_NOMEM;
    router->refused++;
    thi_dead_letter(self, copy, reason);
    return TH_OK;
}

static th_err wait_for_a_routee(th_self *self, struct thi_router *router, const th_msg *msg)
{
    struct thi_router_waiter *waiter;

    if (router->waiting_max == 0)
        return refuse(self, router, msg, TH_DEAD_NO_ROUTEE);
    if (router->waiting_count >= router->waiting_max)
        return refuse(self, router, msg, TH_DEAD_FULL);
    waiter = th_alloc(self, sizeof(*waiter));
    if (!waiter)
        return TH_E_NOMEM;
    waiter->msg = th_msg_dup(self, msg);
    if (!waiter->msg) {
        th_free(self, waiter, sizeof(*waiter));
        return TH_E_NOMEM;
    }
    if (router->waiting)
        router->waiting_last->next = waiter;
    else
        router->waiting = waiter;
    router->waiting_last = waiter;
    router->waiting_count++;
    return TH_OK;
}

/* NULL: nobody waits. */
static th_msg *take_waiting(th_self *self, struct thi_router *router)
{
    struct thi_router_waiter *waiter = router->waiting;
    th_msg *msg;

    if (!waiter)
        return NULL;
    msg = waiter->msg;
    router->waiting = waiter->next;
    router->waiting_count--;
    th_free(self, waiter, sizeof(*waiter));
    return msg;
}

/* O2 */
static void pass_waiting(th_self *self, struct thi_router *router)
{
    while (router->waiting && router->routes.open_count && !router->exiting) {
        th_msg *msg = take_waiting(self, router);
        uint64_t key = 0;
        th_err err;

        if (router->routing == TH_ROUTE_BY_KEY)
            find_key(router, msg, &key); /* it had one when it came */
        err = pass(self, router, msg, key);
        router->told = 0;
        if (err) {
            router->failed++;
            thi_poison_back(self, msg, err, "it waited, and could not be passed on");
        } else {
            router->passed++;
            th_msg_destroy(self, msg);
        }
    }
}

/* ---- a message to be passed on ---- */

static th_err take(th_self *self, struct thi_router *router, const th_msg *msg)
{
    uint64_t key = 0;
    th_err err;

    if (router->routing == TH_ROUTE_BY_KEY && !find_key(router, msg, &key))
        return th_fail(self, TH_E_INVALID, "a %s has no field '%s' to be routed by",
                       th_type_name(th_msg_type(msg)), router->field.name);
    if (router->routes.open_count == 0)
        return wait_for_a_routee(self, router, msg);
    err = pass(self, router, msg, key);
    router->passed += !err;
    return err;
}

static th_err on_message(th_self *self, struct thi_router *router, const th_msg *msg)
{
    th_err err;

    if (router->trying != msg) {
        router->messages++;
        router->tries = 0;
        router->told = 0;
    }
    err = take(self, router, msg);
    router->trying = err ? msg : NULL;
    if (err && ++router->tries == TH_DELIVERIES_MAX) {
        router->trying = NULL;
        router->failed++;
    }
    return err;
}

/* ---- actions ---- */

static void spawn(th_self *self, struct thi_router *router, struct thi_route *route)
{
    th_spawn_options options = { .klass = router->klass, .tell_started = true };
    th_err err = TH_OK;
    th_addr addr;

    if (router->arg && !(options.arg = th_msg_dup(self, router->arg)))
        err = TH_E_NOMEM;
    if (!err)
        err = th_spawn_with(self, &options, &addr);
    if (err)
        thi_routes_ended(&router->routes, route, th_now(self), th_random(self));
    else
        thi_routes_spawned(&router->routes, route, addr);
}

static void arm(th_self *self, struct thi_router *router, uint64_t delay_ns)
{
    if (router->wakeup)
        (void)!th_wakeup_cancel(self, router->wakeup); /* or it is unknown when it comes */
    router->wakeup = 0;
    if (th_wakeup_after(self, delay_ns, NULL, &router->wakeup)) {
        router->wakeup = 0;
        thi_routes_timer(&router->routes); /* none to be had: the next message asks again */
    }
}

static void act(th_self *self, struct thi_router *router)
{
    struct thi_routes_action action;

    while (!router->exiting && thi_routes_next(&router->routes, th_now(self), &action)) {
        switch (action.what) {
        case THI_ROUTES_SPAWN: spawn(self, router, action.route); break;
        case THI_ROUTES_STOP:
            if (th_stop(self, action.route->addr)) {
                thi_routes_unstopped(&router->routes, action.route);
                return; /* no memory: it would be asked again at once */
            }
            break;
        case THI_ROUTES_ARM:
            arm(self, router, action.delay_ns);
            if (!router->wakeup)
                return;
            break;
        }
    }
}

/* ---- what is heard of routees ---- */

static th_err on_started(th_self *self, struct thi_router *router, const th_msg *msg)
{
    struct thi_route *route =
        thi_routes_find(&router->routes, th_child_started_of(msg)->child, UINT64_MAX);

    if (!route || !route->is_child)
        return on_message(self, router, msg);
    thi_routes_started(&router->routes, route, th_now(self));
    return TH_OK;
}

static th_err on_exited(th_self *self, struct thi_router *router, const th_msg *msg)
{
    struct thi_route *route =
        thi_routes_find(&router->routes, th_child_exited_of(msg)->child, UINT64_MAX);

    if (!route || !route->is_child)
        return on_message(self, router, msg);
    thi_routes_ended(&router->routes, route, th_now(self), th_random(self));
    return TH_OK;
}

static th_err on_gone(th_self *self, struct thi_router *router, const th_msg *msg)
{
    struct thi_route *route =
        thi_routes_find(&router->routes, th_actor_gone_of(msg)->actor, UINT64_MAX);

    if (!route || route->is_child)
        return on_message(self, router, msg);
    thi_routes_leave(&router->routes, route);
    return TH_OK;
}

static th_err on_handled(th_self *self, struct thi_router *router, const th_msg *msg)
{
    struct thi_route *route =
        thi_routes_find(&router->routes, th_msg_sender(msg), th_handled_of(msg)->token);

    if (route && thi_route_handled(route))
        mark(self, route);
    return TH_OK; /* or it left meanwhile */
}

static th_err on_poison(th_self *self, struct thi_router *router, const th_msg *msg)
{
    const th_msg *message = th_poison_of(msg)->message;

    if (message && th_addr_equal(th_msg_sender(message), th_self_addr(self)))
        return TH_OK; /* one of our answers failed where it arrived */
    return on_message(self, router, msg);
}

static th_err on_wakeup(th_self *self, struct thi_router *router, const th_msg *msg)
{
    if (!th_addr_equal(th_msg_sender(msg), th_self_addr(self)))
        return on_message(self, router, msg);
    if (th_wakeup_of(msg)->id != router->wakeup)
        return TH_OK; /* cancelled too late */
    router->wakeup = 0;
    thi_routes_timer(&router->routes);
    return TH_OK;
}

static th_err on_exit_request(th_self *self, struct thi_router *router, const th_msg *msg)
{
    const struct thi_routes *routes = &router->routes;

    router->exiting = true;
    /* Children are nothing without us: the system would keep them for ever. */
    for (uint32_t i = 0; th_exit_request_of(msg)->keep_children && i < routes->count; i++)
        if (routes->all[i]->is_child && !th_addr_is_none(routes->all[i]->addr) &&
            th_stop(self, routes->all[i]->addr))
            return TH_E_NOMEM;
    return TH_OK;
}

/* ---- the class ---- */

static th_err invite(th_self *self, struct thi_router *router, const th_blob *routees)
{
    size_t count = routees ? routees->size / sizeof(th_addr) : 0;
    char text[TH_ADDR_TEXT_SIZE];
    th_err err;

    for (size_t i = 0; i < count; i++) {
        th_addr whom;

        memcpy(&whom, routees->data + i * sizeof(whom), sizeof(whom));
        err = thi_router_invite(self, router, whom);
        if (err) {
            th_addr_print(whom, text, sizeof(text));
            return th_fail(self, err, "routee %s: %s", text, th_strerror(err));
        }
    }
    return TH_OK;
}

static th_err router_init(th_self *self, void *state, const th_msg *arg)
{
    struct thi_router *router = state;
    const struct thi_router_start *start = thi_router_start_of(arg);
    th_err err;

    router->routing = (th_routing)start->routing;
    router->klass = (const th_class *)(uintptr_t)start->klass;
    router->key = (th_router_key_of)(uintptr_t)start->key;
    router->routees_max = start->routees_max;
    router->waiting_max = start->waiting_max;
    router->key_field = th_blob_ref(start->key_field);
    if (start->key_field)
        thi_route_key_init(&router->field, start->key_field->data);
    router->allocator =
        (th_allocator){ .alloc = routes_alloc, .free = routes_free, .context = self };
    thi_routes_init(&router->routes, &router->allocator, start->backoff_min_ns,
                    start->backoff_max_ns);
    router->arg = start->arg ? th_msg_dup(self, start->arg) : NULL;
    if ((start->arg && !router->arg) || !thi_routes_seat(&router->routes, start->children))
        return TH_E_NOMEM;
    err = invite(self, router, start->routees);
    if (!err)
        act(self, router);
    return err;
}

static th_err handle(th_self *self, struct thi_router *router, const th_msg *msg)
{
    const th_type *type = th_msg_type(msg);
    th_err err;

    if (type == &th_handled_type)
        return on_handled(self, router, msg);
    if (!(type->flags & TH_TYPE_SYSTEM))
        return thi_router_control(self, router, msg, &err) ? err : on_message(self, router, msg);
    if (type == &th_child_started_type)
        return on_started(self, router, msg);
    if (type == &th_child_exited_type)
        return on_exited(self, router, msg);
    if (type == &th_actor_gone_type)
        return on_gone(self, router, msg);
    if (type == &th_poison_type)
        return on_poison(self, router, msg);
    if (type == &th_wakeup_type)
        return on_wakeup(self, router, msg);
    if (type == &th_exit_request_type)
        return on_exit_request(self, router, msg);
    return on_message(self, router, msg);
}

static th_err router_receive(th_self *self, void *state, const th_msg *msg)
{
    struct thi_router *router = state;
    th_err err;

    router->allocator.context = self;
    err = handle(self, router, msg);
    if (!router->routes.quiet)
        act(self, router);
    if (router->waiting)
        pass_waiting(self, router);
    return err;
}

/* The children have exited. */
static void router_exit(th_self *self, void *state)
{
    struct thi_router *router = state;
    th_msg *msg;

    router->allocator.context = self;
    while ((msg = take_waiting(self, router)))
        thi_dead_letter(self, msg, TH_DEAD_EXITING);
    thi_routes_fini(&router->routes);
    th_msg_destroy(self, router->arg);
    th_blob_unref(router->key_field);
    router->arg = NULL;
    router->key_field = NULL;
}

const th_class thi_router_class = { .name = "router",
                                    .state_size = sizeof(struct thi_router),
                                    .init = router_init,
                                    .receive = router_receive,
                                    .exit = router_exit,
                                    .on_failure = TH_ON_FAILURE_KEEP,
                                    .status = thi_router_status };
