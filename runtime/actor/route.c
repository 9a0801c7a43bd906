#include "runtime/actor/route.h"

#include "runtime/actor/credits.h"
#include "runtime/actor/dead_letter.h"

th_err thi_route_set(struct thi_stage *stage, struct thi_route *route)
{
    struct thi_route *none = NULL;

    /* release: the route; pairs with the acquire in thi_route_of(). relaxed on failure: nothing of
     * the other is read */
    return atomic_compare_exchange_strong_explicit(&stage->route, &none, route,
                                                   memory_order_release, memory_order_relaxed)
               ? TH_OK
               : TH_E_STATE;
}

void thi_route_unset(struct thi_stage *stage)
{
    /* relaxed: nothing is handed on */
    atomic_store_explicit(&stage->route, NULL, memory_order_relaxed);
}

struct thi_route *thi_route_of(struct thi_stage *stage)
{
    /* acquire: what the transport made; pairs with the release in thi_route_set() */
    return atomic_load_explicit(&stage->route, memory_order_acquire);
}

void thi_route_close(struct thi_stage *stage)
{
    struct thi_route *route = thi_route_of(stage);

    if (route)
        route->close(route);
}

void thi_route_destroy(struct thi_stage *stage)
{
    struct thi_route *route = thi_route_of(stage);

    thi_route_unset(stage);
    if (route)
        route->destroy(route);
}

struct thi_cell *thi_route_box(struct thi_stage *stage, th_addr to)
{
    struct thi_route *route = thi_route_of(stage);

    return route && to.system != stage->id ? route->find(route, to.system) : NULL;
}

th_err thi_route_deliver(th_self *self, th_msg *msg, bool may_refuse)
{
    struct thi_cell *box = thi_route_box(thi_stage_of(self), msg->thi_to);

    if (box)
        return thi_credits_deliver_away(self, box, msg, may_refuse);
    thi_undeliverable(self, msg, TH_DEAD_FOREIGN);
    return TH_OK;
}
