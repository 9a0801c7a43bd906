/* supervisor.h: an actor that keeps others alive.
 *
 * A supervisor starts its children in order, each when the init of the one before has succeeded,
 * and starts those anew that end. Restarts come after a pause that doubles with each failure in a
 * row (with some jitter), and when there are too many of them the supervisor stops its children,
 * the last first, and ends itself with TH_EXIT_ERROR, TH_E_LIMIT and the last child's story: its
 * own parent's business then.
 *
 * What a class does about a failed message (th_on_failure) comes first: KEEP and RESTART are no
 * end, and no business of the supervisor. A restarted child is another actor, with another address:
 * ask for it by its id (th_supervisor_find), or have the class restart in place, which keeps the
 * address and the mail. */
#ifndef THESPIS_SUPERVISOR_H
#define THESPIS_SUPERVISOR_H

#include <thespis/actor.h>
#include <thespis/config.h>

/** Who is stopped and started anew with a child that ended. */
typedef enum th_strategy {
    TH_ONE_FOR_ONE, /* nobody */
    TH_ALL_FOR_ONE, /* all */
    TH_REST_FOR_ONE /* those that were started after it */
} th_strategy;

/** When a child that ended without being asked by its supervisor is started anew. */
typedef enum th_restart {
    TH_RESTART_PERMANENT, /* always */
    TH_RESTART_TRANSIENT, /* after a failure (th_exit_is_failure()) */
    TH_RESTART_TEMPORARY  /* never: it is forgotten */
} th_restart;

typedef struct th_child_spec {
    const char *id; /* unique among its siblings; below TH_SUPERVISOR_ID_SIZE bytes; copied */
    const th_class *klass; /* [keep] */
    th_msg *arg;           /* for each init, shared [take]; may be NULL */
    th_restart restart;
    bool own_thread;
} th_child_spec;

/** Zero is the default of config.h. */
typedef struct th_supervisor_options {
    th_strategy strategy;
    uint32_t restarts_max;   /* so many within the window are borne; at most
                                TH_SUPERVISOR_RESTARTS_MAX */
    uint64_t window_ns;      /* also: a child that was up so long has no failures behind it */
    uint64_t backoff_min_ns; /* before a first restart; doubles to the max */
    uint64_t backoff_max_ns;
} th_supervisor_options;

typedef enum th_child_state {
    TH_CHILD_DOWN, /* waits to be started, or has finished */
    TH_CHILD_STARTING,
    TH_CHILD_UP,
    TH_CHILD_STOPPING
} th_child_state;

/** Asks a supervisor for a child; answered with th_supervisor_child. */
#define TH_SUPERVISOR_FIND_FIELDS(F, S) F(S, chars, id, TH_SUPERVISOR_ID_SIZE)
TH_MESSAGE(th_supervisor_find, TH_SUPERVISOR_FIND_FIELDS);

/** Has a supervisor stop and forget a child; answered with th_supervisor_child when it is gone. */
TH_MESSAGE(th_supervisor_remove, TH_SUPERVISOR_FIND_FIELDS);

#define TH_SUPERVISOR_CHILD_FIELDS(F, S)                                                           \
    F(S, chars, id, TH_SUPERVISOR_ID_SIZE)                                                         \
    F(S, addr, addr) /* none unless it is STARTING, UP or STOPPING */                              \
    F(S, u32, state) /* th_child_state */                                                          \
    F(S, u32, err)   /* TH_E_NO_ACTOR: no such child. TH_E_EXISTS: not added, the id is taken. \
                            TH_E_LIMIT, TH_E_NOMEM, TH_E_CLOSED: not added */   \
    F(S, u64, starts)
TH_MESSAGE(th_supervisor_child, TH_SUPERVISOR_CHILD_FIELDS);

/** Asks a supervisor how it is; answered with th_supervisor_status. */
TH_SIGNAL(th_supervisor_ask_status);

/* clang-format off: one field a line */
#define TH_SUPERVISOR_STATUS_FIELDS(F, S)                                                          \
    F(S, u32, children)                                                                            \
    F(S, u32, children_max)                                                                        \
    F(S, u32, up)                                                                                  \
    F(S, u32, strategy)                                                                            \
    F(S, u64, restarts)                                                                            \
    F(S, u32, restarts_max)                                                                        \
    F(S, bool_, leaving)
/* clang-format on */
TH_MESSAGE(th_supervisor_status, TH_SUPERVISOR_STATUS_FIELDS);

TH_BEGIN_C

/** A supervisor of @count children, as a child of the caller. @options may be NULL. Asked to exit,
 * it stops its children one after the other, the last first. TH_E_INVALID: a bad id, strategy,
 * restart or bound. TH_E_EXISTS: an id twice. TH_E_LIMIT: TH_SUPERVISOR_CHILDREN_MAX. Else as
 * th_spawn(). The arguments in @children are [take] in any case but a null @self. */
TH_API TH_NODISCARD th_err th_supervisor_spawn(th_self *self, const th_child_spec *children,
                                               size_t count, const th_supervisor_options *options,
                                               th_addr *addr_out);

/** The same as a class and an argument [give], for th_spawn_with() or for another supervisor's
 * th_child_spec. */
TH_API TH_NODISCARD th_err th_supervisor_spec(th_self *self, const th_child_spec *children,
                                              size_t count, const th_supervisor_options *options,
                                              th_spawn_options *spawn_out);

/** Adds a child behind the others of a running @supervisor, which answers th_supervisor_child. */
TH_API TH_NODISCARD th_err th_supervisor_add(th_self *self, th_addr supervisor,
                                             const th_child_spec *child);

TH_END_C
#endif
