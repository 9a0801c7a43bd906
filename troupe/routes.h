/* routes.h: whom a router has behind it, and who of them is next.
 *
 * A pure state machine: events go in by the functions below, actions come out of
 * thi_routes_next(), to be drained after each event; the picks answer at once. It knows no actors:
 * a routee is an address, time an argument, in nanoseconds.
 *
 *     child:  DOWN -spawned-> STARTING -started-> UP     any -ended-> DOWN, after a pause
 *             STARTING, UP -fewer are wanted-> STOPPING -ended-> gone
 *     guest:  joins UP, leaves or ends
 *
 * P1. Open are: guests, children that are UP, and children that are STARTING for the first time:
 *     their mail waits. One that replaces a child that died is open when its init has run, so that
 *     a child that cannot start takes no mail along.
 * P2. A child has a seat, 0 to children - 1, and its successor has the same: keys come back to
 *     it. */
#ifndef THI_TROUPE_ROUTES_H
#define THI_TROUPE_ROUTES_H

#include <thespis/addr.h>
#include <thespis/alloc.h>
#include <thespis/router.h>

struct thi_route {
    th_addr addr;  /* none while it is DOWN */
    uint64_t node; /* by which rendezvous.h knows it: the seat's, or the address's */
    uint32_t index;
    uint32_t seat; /* of a child */
    th_routee_state state;
    bool is_child;
    bool is_open; /* P1 */
    bool asked;   /* STOPPING: the owner was told to ask it */

    /* What it was sent, for whoever routes by load. One mark at a time goes behind the messages:
     * its answer says that all before it are handled. So marks adapt: a busy routee has many
     * messages for each. */
    uint64_t sent;
    uint64_t outstanding; /* and not known to be handled */
    uint64_t behind_mark; /* of those, sent after the mark that is under way */
    bool marked;

    uint32_t failures; /* ends in a row: the pause doubles with each */
    uint64_t due_ns;   /* is not spawned before */
    uint64_t up_ns;    /* UP since */
};

struct thi_routes {
    th_allocator *allocator; /* the owner's */
    uint64_t backoff_min_ns;
    uint64_t backoff_max_ns; /* also: a child that was up so long has no failures behind it */
    struct thi_route **all;  /* by index */
    struct thi_route **open; /* in the order they opened; as much room as `all` */
    uint32_t count, open_count, capacity;
    uint32_t children; /* seats */
    uint32_t cursor;   /* in `open` */
    uint64_t deaths;   /* of children that were not asked */
    uint64_t armed_ns; /* when the owner's timer fires; UINT64_MAX: not armed */
    bool quiet;        /* thi_routes_next() has nothing before the next event */
};

enum thi_routes_do {
    THI_ROUTES_SPAWN, /* make @route; answer thi_routes_spawned() or thi_routes_ended() */
    THI_ROUTES_STOP,  /* ask @route to exit; or thi_routes_unstopped() */
    THI_ROUTES_ARM    /* have thi_routes_timer() called in @delay_ns, instead of before */
};

struct thi_routes_action {
    enum thi_routes_do what;
    struct thi_route *route;
    uint64_t delay_ns;
};

/** @allocator [keep]. */
void thi_routes_init(struct thi_routes *routes, th_allocator *allocator, uint64_t backoff_min_ns,
                     uint64_t backoff_max_ns);
void thi_routes_fini(struct thi_routes *routes);

/* ---- events ---- */

/** So many children from now on. false: no memory; fewer came. */
bool thi_routes_seat(struct thi_routes *routes, uint32_t children);

/** NULL: no memory. */
struct thi_route *thi_routes_join(struct thi_routes *routes, th_addr addr);
/** Forgets a guest [take]. */
void thi_routes_leave(struct thi_routes *routes, struct thi_route *route);

void thi_routes_spawned(struct thi_routes *routes, struct thi_route *route, th_addr addr);
void thi_routes_started(struct thi_routes *routes, struct thi_route *route, uint64_t now_ns);
/** A child has exited, or could not be spawned: it may be gone after this. @random decides the
 * jitter. */
void thi_routes_ended(struct thi_routes *routes, struct thi_route *route, uint64_t now_ns,
                      uint64_t random);
void thi_routes_unstopped(struct thi_routes *routes, struct thi_route *route);
void thi_routes_timer(struct thi_routes *routes);

/** What to do next; false: nothing, until the next event. */
bool thi_routes_next(struct thi_routes *routes, uint64_t now_ns, struct thi_routes_action *action);

/* ---- queries and picks; those answer one that is open, or NULL: nobody is ---- */

/** @hint: its index, probably. */
struct thi_route *thi_routes_find(const struct thi_routes *routes, th_addr addr, uint64_t hint);

struct thi_route *thi_routes_in_turn(struct thi_routes *routes);
/** By rendezvous.h; looks at all. */
struct thi_route *thi_routes_by_key(const struct thi_routes *routes, uint64_t key);
/** The one with less outstanding of two that @random chooses. In *@other_out (may be NULL) the
 * other; NULL: there is one only. */
struct thi_route *thi_routes_least(const struct thi_routes *routes, uint64_t random,
                                   struct thi_route **other_out);

/** It was sent one more. true: send a mark behind it. */
bool thi_route_sent(struct thi_route *route);
/** The mark could not be sent: the next message tries again. */
void thi_route_unmarked(struct thi_route *route);
/** The mark was answered. true: send another. */
bool thi_route_handled(struct thi_route *route);

#endif
