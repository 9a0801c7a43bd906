#include "troupe/routes.h"

#include "troupe/rendezvous.h"

#include <string.h>

void thi_routes_init(struct thi_routes *routes, th_allocator *allocator, uint64_t backoff_min_ns,
                     uint64_t backoff_max_ns)
{
    *routes = (struct thi_routes){ .allocator = allocator,
                                   .backoff_min_ns = backoff_min_ns,
                                   .backoff_max_ns = backoff_max_ns,
                                   .armed_ns = UINT64_MAX };
}

static void *get(struct thi_routes *routes, size_t size)
{
    return routes->allocator->alloc(routes->allocator->context, size);
}

static void give_back(struct thi_routes *routes, void *memory, size_t size)
{
    if (memory)
        routes->allocator->free(routes->allocator->context, memory, size);
}

void thi_routes_fini(struct thi_routes *routes)
{
    for (uint32_t i = 0; i < routes->count; i++)
        give_back(routes, routes->all[i], sizeof(*routes->all[i]));
    give_back(routes, routes->all, 2 * sizeof(*routes->all) * routes->capacity);
    routes->all = routes->open = NULL;
    routes->count = routes->open_count = routes->capacity = 0;
}

/* ---- who is there, and who is open ---- */

/* One block for both arrays: opening never needs memory. */
static bool grow(struct thi_routes *routes)
{
    uint32_t capacity = routes->capacity ? 2 * routes->capacity : 8;
    struct thi_route **all = get(routes, 2 * sizeof(*all) * capacity);

    if (!all)
        return false;
    if (routes->count)
        memcpy(all, routes->all, routes->count * sizeof(*all));
    if (routes->open_count)
        memcpy(all + capacity, routes->open, routes->open_count * sizeof(*all));
    give_back(routes, routes->all, 2 * sizeof(*all) * routes->capacity);
    routes->all = all;
    routes->open = all + capacity;
    routes->capacity = capacity;
    return true;
}

static struct thi_route *add(struct thi_routes *routes)
{
    struct thi_route *route;

    if (routes->count == routes->capacity && !grow(routes))
        return NULL;
    route = get(routes, sizeof(*route));
    if (!route)
        return NULL;
    memset(route, 0, sizeof(*route));
    route->index = routes->count;
    routes->all[routes->count++] = route;
    return route;
}

/* A route that closes is one that nobody is waiting for: the order of the others stays, and whose
 * turn it is. */
static void set_open(struct thi_routes *routes, struct thi_route *route, bool open)
{
    uint32_t at = 0;

    if (route->is_open == open)
        return;
    route->is_open = open;
    if (open) {
        routes->open[routes->open_count++] = route;
        return;
    }
    while (routes->open[at] != route)
        at++;
    routes->open_count--;
    memmove(&routes->open[at], &routes->open[at + 1],
            (routes->open_count - at) * sizeof(struct thi_route *));
    if (at < routes->cursor)
        routes->cursor--;
}

static void forget(struct thi_routes *routes, struct thi_route *route)
{
    struct thi_route *last = routes->all[routes->count - 1];

    set_open(routes, route, false);
    routes->all[route->index] = last;
    last->index = route->index;
    routes->count--;
    give_back(routes, route, sizeof(*route));
}

struct thi_route *thi_routes_find(const struct thi_routes *routes, th_addr addr, uint64_t hint)
{
    if (hint < routes->count && th_addr_equal(routes->all[hint]->addr, addr))
        return routes->all[hint];
    for (uint32_t i = 0; i < routes->count; i++)
        if (th_addr_equal(routes->all[i]->addr, addr))
            return routes->all[i];
    return NULL;
}

/* ---- events ---- */

static bool seat_child(struct thi_routes *routes, uint32_t seat)
{
    struct thi_route *route = add(routes);

    if (!route)
        return false;
    route->is_child = true;
    route->seat = seat;
    route->node = thi_rendezvous_mix(seat); /* P2 */
    route->state = TH_ROUTEE_DOWN;
    return true;
}

bool thi_routes_seat(struct thi_routes *routes, uint32_t children)
{
    uint32_t i = routes->count;

    routes->quiet = false;
    while (routes->children < children && seat_child(routes, routes->children))
        routes->children++;
    if (routes->children <= children)
        return routes->children == children;
    routes->children = children;
    while (i-- > 0) { /* downward, since the last takes the place of one that is forgotten */
        struct thi_route *route = routes->all[i];

        if (!route->is_child || route->seat < children || route->state == TH_ROUTEE_STOPPING)
            continue;
        if (route->state == TH_ROUTEE_DOWN) {
            forget(routes, route);
            continue;
        }
        route->state = TH_ROUTEE_STOPPING;
        set_open(routes, route, false);
    }
    return true;
}

struct thi_route *thi_routes_join(struct thi_routes *routes, th_addr addr)
{
    struct thi_route *route = add(routes);

    if (!route)
        return NULL;
    route->addr = addr;
    route->node = th_addr_hash(addr);
    route->state = TH_ROUTEE_UP;
    set_open(routes, route, true);
    return route;
}

void thi_routes_leave(struct thi_routes *routes, struct thi_route *route)
{
    forget(routes, route);
}

void thi_routes_spawned(struct thi_routes *routes, struct thi_route *route, th_addr addr)
{
    route->addr = addr;
    route->state = TH_ROUTEE_STARTING;
    route->outstanding = route->behind_mark = 0;
    route->marked = false;
    set_open(routes, route, route->failures == 0); /* P1 */
}

void thi_routes_started(struct thi_routes *routes, struct thi_route *route, uint64_t now_ns)
{
    if (route->state != TH_ROUTEE_STARTING)
        return; /* it is being stopped */
    route->state = TH_ROUTEE_UP;
    route->up_ns = now_ns;
    set_open(routes, route, true);
}

/* Doubles with each end in a row, and of what it comes to the later half is left to chance, so that
 * many that died of one cause do not come back in step. */
static uint64_t pause_after(const struct thi_routes *routes, uint32_t failures, uint64_t random)
{
    uint64_t pause = routes->backoff_min_ns;

    while (failures-- && pause < routes->backoff_max_ns)
        pause = pause > routes->backoff_max_ns / 2 ? routes->backoff_max_ns : 2 * pause;
    return pause - random % (pause / 2 + 1);
}

void thi_routes_ended(struct thi_routes *routes, struct thi_route *route, uint64_t now_ns,
                      uint64_t random)
{
    routes->quiet = false;
    if (route->state == TH_ROUTEE_STOPPING) {
        forget(routes, route);
        return;
    }
    if (route->state == TH_ROUTEE_UP && now_ns - route->up_ns >= routes->backoff_max_ns)
        route->failures = 0;
    routes->deaths++;
    route->state = TH_ROUTEE_DOWN;
    route->addr = th_addr_none();
    route->outstanding = 0;
    route->due_ns = now_ns + pause_after(routes, route->failures++, random);
    set_open(routes, route, false);
}

void thi_routes_unstopped(struct thi_routes *routes, struct thi_route *route)
{
    routes->quiet = false;
    route->asked = false;
}

void thi_routes_timer(struct thi_routes *routes)
{
    routes->quiet = false;
    routes->armed_ns = UINT64_MAX;
}

/* ---- actions ---- */

bool thi_routes_next(struct thi_routes *routes, uint64_t now_ns, struct thi_routes_action *action)
{
    uint64_t soonest = UINT64_MAX;

    if (routes->quiet)
        return false;
    for (uint32_t i = 0; i < routes->count; i++) {
        struct thi_route *route = routes->all[i];

        if (route->state == TH_ROUTEE_STOPPING && !route->asked) {
            route->asked = true;
            *action = (struct thi_routes_action){ .what = THI_ROUTES_STOP, .route = route };
            return true;
        }
        if (route->state == TH_ROUTEE_DOWN && route->due_ns <= now_ns) {
            *action = (struct thi_routes_action){ .what = THI_ROUTES_SPAWN, .route = route };
            return true;
        }
        if (route->state == TH_ROUTEE_DOWN && route->due_ns < soonest)
            soonest = route->due_ns;
    }
    routes->quiet = true;
    if (soonest >= routes->armed_ns)
        return false; /* the timer that is set comes first */
    routes->armed_ns = soonest;
    *action = (struct thi_routes_action){ .what = THI_ROUTES_ARM, .delay_ns = soonest - now_ns };
    return true;
}

/* ---- picks ---- */

struct thi_route *thi_routes_in_turn(struct thi_routes *routes)
{
    if (routes->open_count == 0)
        return NULL;
    if (routes->cursor >= routes->open_count)
        routes->cursor = 0;
    return routes->open[routes->cursor++];
}

struct thi_route *thi_routes_by_key(const struct thi_routes *routes, uint64_t key)
{
    uint64_t mixed = thi_rendezvous_mix(key), best = 0;
    struct thi_route *found = NULL;

    for (uint32_t i = 0; i < routes->open_count; i++) {
        struct thi_route *route = routes->open[i];
        uint64_t weight = thi_rendezvous_weight(route->node, mixed);

        if (!found || weight > best || (weight == best && route->node > found->node)) {
            found = route;
            best = weight;
        }
    }
    return found;
}

struct thi_route *thi_routes_least(const struct thi_routes *routes, uint64_t random,
                                   struct thi_route **other_out)
{
    struct thi_route *least = NULL, *other = NULL;
    uint32_t count = routes->open_count, at;

    if (count) {
        at = (uint32_t)random % count;
        least = routes->open[at];
    }
    if (count > 1) {
        uint32_t next = (uint32_t)(random >> 32) % (count - 1);

        other = routes->open[next + (next >= at)];
    }
    if (other && other->outstanding < least->outstanding) {
        struct thi_route *more = least;

        least = other;
        other = more;
    }
    if (other_out)
        *other_out = other;
    return least;
}

bool thi_route_sent(struct thi_route *route)
{
    route->outstanding++;
    if (route->marked) {
        route->behind_mark++;
        return false;
    }
    route->marked = true;
    route->behind_mark = 0;
    return true;
}

void thi_route_unmarked(struct thi_route *route)
{
    route->marked = false;
}

bool thi_route_handled(struct thi_route *route)
{
    route->outstanding = route->behind_mark;
    route->marked = route->behind_mark > 0;
    route->behind_mark = 0;
    return route->marked;
}
