/* router.h: one address in front of several actors, each message to one of them or to all.
 *
 * A router passes on what it is sent; it never waits for a routee. Routees see a message with its
 * first sender: answers and poison go there and do not pass the router. (A troupe is the other way:
 * it gives a worker the next job when it has done one. Take a troupe to share out work, a router to
 * say by whom something is to be done.)
 *
 * Routees are children, made of a class and replaced when they end, after a pause that doubles with
 * each end in a row; and guests, any actors of this system, which are given or join and leave at
 * run time, and are forgotten when they end. What a routee had not handled when it ended is a dead
 * letter, as with any actor.
 *
 *     TH_ROUTE_IN_TURN   round-robin.
 *     TH_ROUTE_BY_KEY    equal keys to one routee, as long as it is there: rendezvous hashing
 *                        (Thaler and Ravishankar 1998). When one ends, only its keys move; a child
 *                        that replaces it has them back.
 *     TH_ROUTE_TO_ALL    to each; a body above TH_MESSAGE_COPY_MAX, or one that owns something, is
 *                        shared by all, not copied.
 *     TH_ROUTE_BY_LOAD   of two routees chosen at random, to the one that has fewer messages of
 *                        this router waiting or in hand. Two choices make the longest queue about
 *                        log log n where one makes it log n / log log n, looking at all gains
 *                        little over that (Mitzenmacher: The Power of Two Choices in Randomized
 *                        Load Balancing, IEEE TPDS 12(10), 2001), and chance keeps stale figures
 *                        from sending everybody to the same one. How many are waiting, a routee
 *                        need not say: behind its messages the router sends th_ask_handled, one
 *                        under way at a time, which the runtime answers in its turn. What others
 *                        send to a routee shows as slower answers, and so does a slow handler.
 *
 * The messages of this header are the router's own, and so is what the system tells it of its
 * routees; every other message is passed on, also a wakeup or poison that somebody forwards. A
 * message that fails before it has a routee (no such field; no memory) goes back to its sender as
 * poison. What a routee's full mailbox refuses goes to the next one in turn, or by load to the
 * other of the two; if all that are tried refuse it, and by key, it is poison; to all, that routee
 * is passed over. A mailbox that holds its senders holds the router: what comes then waits in the
 * router's.
 * Order: from one sender to one routee messages keep theirs. Asked to exit, the router takes its
 * children along; guests stay. */
#ifndef THESPIS_ROUTER_H
#define THESPIS_ROUTER_H

#include <thespis/actor.h>

typedef enum th_routing {
    TH_ROUTE_IN_TURN,
    TH_ROUTE_BY_KEY,
    TH_ROUTE_TO_ALL,
    TH_ROUTE_BY_LOAD
} th_routing;

/** A message's key, equal for those that belong together; th_router_key() makes one of bytes. Runs
 * in the router: short, pure, for any message that may come. */
typedef uint64_t (*th_router_key_of)(const th_msg *msg);

/** Zero means the default of config.h. */
typedef struct th_router_options {
    th_routing routing;
    const th_class *klass; /* of the children [keep]; NULL: none */
    th_msg *arg;           /* for the init of each, shared [take]; may be NULL */
    uint32_t children;
    const th_addr *routees; /* guests to begin with; copied */
    uint32_t routee_count;
    uint32_t routees_max;    /* children and guests */
    uint32_t waiting_max;    /* messages that wait while there is no routee; past it, TH_DEAD_FULL.
                                0: none waits, TH_DEAD_NO_ROUTEE */
    th_router_key_of key;    /* by key: this, or */
    const char *key_field;   /* the name of a field, looked up once for each type that comes: equal
                                values (text, bytes), equal keys. Copied */
    uint64_t backoff_min_ns; /* before a child is replaced */
    uint64_t backoff_max_ns; /* also: a child that was up so long has no ends behind it */
} th_router_options;

typedef enum th_routee_state {
    TH_ROUTEE_DOWN, /* a child that ended; waits to be replaced */
    TH_ROUTEE_STARTING,
    TH_ROUTEE_UP,
    TH_ROUTEE_STOPPING /* a child too many */
} th_routee_state;

/** Has an actor join as a guest, or leave. Answered with th_router_changed; who sends nobody's
 * address speaks of itself. */
#define TH_ROUTER_JOIN_FIELDS(F, S) F(S, addr, routee)
TH_MESSAGE(th_router_join, TH_ROUTER_JOIN_FIELDS);
TH_MESSAGE(th_router_leave, TH_ROUTER_JOIN_FIELDS);

#define TH_ROUTER_CHANGED_FIELDS(F, S)                                                             \
    F(S, addr, routee)                                                                             \
    F(S, u32, err) /* join: TH_E_EXISTS, TH_E_LIMIT, TH_E_NOMEM, or what th_watch_actor() says \
                          of it. leave: TH_E_NO_ACTOR, TH_E_NOT_ALLOWED (a child) */   \
    F(S, u32, routees) /* now */
TH_MESSAGE(th_router_changed, TH_ROUTER_CHANGED_FIELDS);

/** Changes limits: a 0 leaves that one. Answered with th_router_limits: those in force. Fewer
 * children: the last are asked to exit, behind what they were sent. TH_ROUTER_NONE: not any. A
 * wish that cannot be had (children without a class, past routees_max) leaves that one. */
#define TH_ROUTER_NONE UINT32_MAX
#define TH_ROUTER_LIMITS_FIELDS(F, S)                                                              \
    F(S, u32, children) F(S, u32, routees_max) F(S, u32, waiting_max)
TH_MESSAGE(th_router_set, TH_ROUTER_LIMITS_FIELDS);
TH_MESSAGE(th_router_limits, TH_ROUTER_LIMITS_FIELDS);

/** Asks a router how it is; answered with th_router_status and a row for each routee. */
TH_SIGNAL(th_router_ask_status);

/* clang-format off: one field a line */
#define TH_ROUTER_STATUS_FIELDS(F, S)                                                              \
    F(S, u32, routing)                                                                             \
    F(S, u32, routees)                                                                             \
    F(S, u32, open) /* that get messages now */                                                    \
    F(S, u32, children)                                                                            \
    F(S, u32, routees_max)                                                                         \
    F(S, u32, waiting_max)                                                                         \
    F(S, u64, messages) /* = passed + refused + failed + waiting */                                \
    F(S, u64, passed)   /* to a routee, or to all */                                               \
    F(S, u64, refused)  /* dead letters, no routee or no room to wait */                           \
    F(S, u64, failed)   /* poison to their senders */                                              \
    F(S, u64, waiting)                                                                             \
    F(S, u64, deaths) /* of children that were not asked to exit */
/* clang-format on */
TH_MESSAGE(th_router_status, TH_ROUTER_STATUS_FIELDS);

/** A row of the status. */
typedef struct th_routee {
    th_addr addr; /* none while it is DOWN */
    uint64_t sent;
    uint64_t outstanding; /* of those, not known to be handled; kept only by load */
    uint32_t state;       /* th_routee_state */
    bool is_child;
} th_routee;

TH_BEGIN_C

/** TH_E_INVALID and, in @why_out (may be NULL, static text), the option at fault; TH_OK if they
 * will do. */
TH_API TH_NODISCARD th_err th_router_check(const th_router_options *options, const char **why_out);

/** A router, as a child of the caller. TH_E_INVALID: th_router_check() says why. Else as
 * th_spawn(). @options->arg is [take] in any case but a null @self. A guest that cannot be watched
 * (th_watch_actor()) fails the init. */
TH_API TH_NODISCARD th_err th_router_spawn(th_self *self, const th_router_options *options,
                                           th_addr *addr_out);

/** The same as a class and an argument [give], for th_spawn_with() under a global name, or for a
 * supervisor's th_child_spec. */
TH_API TH_NODISCARD th_err th_router_spec(th_self *self, const th_router_options *options,
                                          th_spawn_options *spawn_out);

/** A key of @size bytes. NULL with a size: 0. */
TH_API uint64_t th_router_key(const void *bytes, size_t size);

TH_END_C

/** The rows of a status [lend, with @status]; @status is of that type. */
static inline const th_routee *th_router_routees(const th_msg *status, size_t *count_out)
{
    size_t size;
    const th_routee *rows = (const th_routee *)th_msg_rest(status, &size);

    *count_out = size / sizeof(th_routee);
    return rows;
}

#endif
