/* actor.h: classes, and what an actor can do.
 *
 * An actor is a class, private state and one mailbox; it handles one message at a time, and sees
 * every write that its previous handler made, whichever thread ran it. @self is the handle by which
 * code speaks: in an actor's functions it is the actor's and good only there, on that thread;
 * endpoints (external.h) have one too. Unless a function says otherwise it is called from the
 * thread that holds @self, and answers TH_E_INVALID to a null handle or pointer. */
#ifndef THESPIS_ACTOR_H
#define THESPIS_ACTOR_H

#include <thespis/capability.h>
#include <thespis/mailbox.h>

typedef struct th_case th_case;       /* dispatch.h */
typedef struct th_initial th_initial; /* behaviour.h */

/** What becomes of an actor's state after a message failed all its deliveries. */
typedef enum th_on_failure {
    TH_ON_FAILURE_KEEP,    /* carry on with the state as it is */
    TH_ON_FAILURE_RESTART, /* exit(), zeroed state, init() with the first argument; same address,
                              mail kept */
    TH_ON_FAILURE_STOP     /* exit with TH_EXIT_FAILED */
} th_on_failure;

enum th_class_flags {
    TH_CLASS_OWN_THREAD =
        1 << 0 /* each actor has a thread of its own; on the simple base it has no effect */
};

/** A behaviour. Static and immutable; all functions may be NULL. */
typedef struct th_class th_class;
struct th_class {
    const char *name;
    size_t state_size; /* bytes, zeroed before init */
    /** Runs first, on the pool. @arg is what spawn was given, or NULL. Not TH_OK: the actor never
     * was; its parent hears child-exited with TH_EXIT_INIT, and its mail becomes dead letters. */
    th_err (*init)(th_self *self, void *state, const th_msg *arg);
    /** Handles one message [lend]. Not TH_OK: the message failed, see TH_DELIVERIES_MAX. NULL: the
     * tables below do, and without any messages are ignored. */
    th_err (*receive)(th_self *self, void *state, const th_msg *msg);
    /** Runs last, after the children have exited; also after a failed init. May send, may not
     * spawn. */
    void (*exit)(th_self *self, void *state);
    th_on_failure on_failure;
    uint32_t flags; /* enum th_class_flags */
    /** What this class extends, or NULL. Its state is the beginning of ours, so state_size is at
     * least its; an init or exit that is NULL here is its. What ours do not say they do not: one
     * that is there and wants the base's too, calls it. on_failure, flags, mailbox and urgent
     * are not inherited. */
    const th_class *base;
    const th_case *cases; /* one function for each type: dispatch.h */
    /** What a system must be able to do for it, ended by a NULL name; those of the bases come on
     * top. NULL: nothing (capability.h). */
    const th_need *needs;
    /** The same as a function, asked after the needs are met; that of the bases too. It is given
     * the system's capabilities and what the creator said. Called on any thread, also before there
     * is an actor: it looks at nothing else, and calls nothing but th_facts_ and th_value_
     * functions. */
    bool (*fits)(const th_facts *capabilities, const th_facts *requirements);
    /** How long an actor lives after its first message, and how long without any: then it is asked
     * to exit, by itself, and exits with TH_EXIT_TRANSIENT. Nanoseconds; 0 is the base's, at last
     * no limit. The system's messages are none in this, wakeups included; what waits in the mailbox
     * when the time comes is handled first, and counts. One that is never sent anything stays; one
     * that answers th_exit_later() is asked again when its limit has passed once more. */
    uint64_t age_ns_max;
    uint64_t idle_ns_max;
    const th_initial *initial; /* what it waits for first: behaviour.h; NULL is the base's */
    th_mailbox mailbox;        /* how much may wait; a spawn option may say otherwise */
    /** Types [keep], ended by NULL, whose messages (and those of types that descend from them) are
     * handled before all others that wait; among themselves they keep their order. Answers to
     * questions and what the system sends are not meant. NULL: none. */
    const th_type *const *urgent;
    /** What an actor of this class has to say of itself in the status of its system (status.h): a
     * message [give] whose plain fields are the figures, as a rule what it answers to a question of
     * its own. Called between two messages, also while it exits; it only looks, and makes that
     * message. NULL, the function or the message: nothing. An heir's is its base's. */
    th_msg *(*status)(th_self *self, const void *state);
};

/** How to spawn, where th_spawn() is not enough. Zero is the default everywhere. */
typedef struct th_spawn_options {
    const th_class *klass;  /* this, or */
    const char *class_name; /* the name it was registered under */
    th_msg *arg;            /* for init [take] */
    bool own_thread;        /* as TH_CLASS_OWN_THREAD, for this one */
    uint64_t age_ns_max;    /* in place of the class's; TH_FOREVER: no limit */
    uint64_t idle_ns_max;
    /* Get or create: the actor that has this name, or a new one that is the system's child
     * (name.h). NULL: none. Copied. */
    const char *global_name;
    const th_need *needs;        /* on top of the class's; copied */
    const th_fact *requirements; /* what fits() and the actor are to know; copied */
    bool tell_started;  /* the parent, an actor, gets th_child_started when init has succeeded */
    th_mailbox mailbox; /* limit 0: the class's; TH_MAILBOX_UNBOUNDED: none */
} th_spawn_options;

TH_BEGIN_C

/* ---- life ---- */

/** Makes a child of the caller (of the system, when @self is an endpoint). The address is good at
 * once; init runs on the pool, and whatever is sent meanwhile waits. @klass [keep] while any actor
 * of it lives. @arg [take], may be NULL. TH_E_NOMEM, TH_E_LIMIT (actors_max), TH_E_CLOSED (the
 * caller or the system is exiting), TH_E_INVALID (more than TH_CLASS_BASES_MAX bases, or a smaller
 * state than a base's). */
TH_API TH_NODISCARD th_err th_spawn(th_self *self, const th_class *klass, th_msg *arg,
                                    th_addr *addr_out);

/** The same with options. TH_E_NO_CLASS: nobody registered that name. TH_E_UNFIT: the
 * system cannot do what the class or the options need. TH_E_INVALID: also a mailbox whose low mark
 * is not below its limit, or whose limit is past TH_MAILBOX_LIMIT_MAX. With a global_name:
 * TH_E_LIMIT also for TH_NAMES_MAX, TH_E_INVALID for a bad one; if an actor has it, its address,
 * and @options are not looked at. */
TH_API TH_NODISCARD th_err th_spawn_with(th_self *self, const th_spawn_options *options,
                                         th_addr *addr_out);

/** Asks @to to exit, its children first. To ask with options, send th_exit_request. */
TH_API TH_NODISCARD th_err th_stop(th_self *self, th_addr to);

/** The caller exits when this handler returns: children first. TH_E_NOT_HERE: @self is an endpoint.
 */
TH_API TH_NODISCARD th_err th_exit(th_self *self);

/** The same, giving a reason: with an @err the end is TH_EXIT_ERROR, a failure; with TH_OK it is
 * TH_EXIT_NORMAL. @format (printf-like, may be NULL) and @err reach the parent and whoever watches.
 * TH_E_NOMEM: it exits all the same, without the words and the error. TH_E_CLOSED: it is exiting
 * already. */
TH_API TH_NODISCARD th_err th_exit_because(th_self *self, th_err err, const char *format, ...)
    TH_PRINTF(3, 4);

/** th_stop() with a reason: with an @err the end is TH_EXIT_CONDEMNED, a failure; with TH_OK it is
 * TH_EXIT_REQUESTED. @format may be NULL. */
TH_API TH_NODISCARD th_err th_stop_because(th_self *self, th_addr to, th_err err,
                                           const char *format, ...) TH_PRINTF(4, 5);

/** While handling an exit request: not yet. The actor goes on as if it had not been asked, and says
 * th_exit() when it is through with what it has to do first; the reason is then the request's.
 * Nothing else ends it: a shutdown waits. TH_E_STATE: no exit request is being handled. */
TH_API TH_NODISCARD th_err th_exit_later(th_self *self);

/** Why an actor ends. */
typedef struct th_exit_info {
    th_exit_reason reason;
    th_err err;
    const char *details; /* NULL: none */
} th_exit_info;

/** In the exit function, or while the children exit: why. *@info_out is good until the handler
 * returns. TH_E_STATE: the actor is not exiting; in an exit function it is started afresh
 * (TH_ON_FAILURE_RESTART). TH_E_NOT_HERE: an endpoint. */
TH_API TH_NODISCARD th_err th_exit_why(const th_self *self, th_exit_info *info_out);

/** While handling an exit request: the children are not to be asked; they go to the system. */
TH_API TH_NODISCARD th_err th_exit_keep_children(th_self *self);

/** Asks the whole system to shut down, as th_system_shutdown() from outside would; returns at once.
 */
TH_API TH_NODISCARD th_err th_request_shutdown(th_self *self);

/** Why this message is failing: printf-like text for the poison message. Returns @err, so `return
 * th_fail(self, err, ...)`. */
TH_API th_err th_fail(th_self *self, th_err err, const char *format, ...) TH_PRINTF(3, 4);

/* ---- who ---- */

TH_API th_addr th_self_addr(const th_self *self);
TH_API th_addr
th_self_parent(const th_self *self); /* none for endpoints and the system's own actor */
TH_API th_system *th_self_system(const th_self *self);
TH_API const th_class *th_self_class(const th_self *self); /* NULL for endpoints */
TH_API void *th_self_state(const th_self *self);           /* NULL for endpoints */

/** Now on the system's clock, nanoseconds: monotonic on the pool, virtual on the simple base. */
TH_API uint64_t th_now(const th_self *self);

/** A random number from the system's generator; from the seed on the simple base. Not for secrets.
 */
TH_API uint64_t th_random(th_self *self);

/* ---- asking without blocking ---- */

/** The answer to th_ask_then(): a message [lend], or NULL with the reason in @err: TH_E_TIMEOUT,
 * TH_E_NO_ACTOR, TH_E_FULL. Runs as the actor, like receive, and may fail like it. */
typedef th_err (*th_answer)(th_self *self, void *state, const th_msg *answer, th_err err,
                            uint64_t token);

/** Sends @msg [take] with a reply address of its own; the first answer to that address goes to
 * @then, once. Later ones are dead letters. Other messages are handled meanwhile. @timeout_ns:
 * TH_FOREVER for none. TH_E_NOT_HERE: @self is an endpoint, use th_ask(). */
TH_API TH_NODISCARD th_err th_ask_then(th_self *self, th_addr to, th_msg *msg, uint64_t timeout_ns,
                                       th_answer then, uint64_t token);

/* ---- wakeups ---- */

#define TH_US(n)   ((uint64_t)(n)*1000u)
#define TH_MS(n)   ((uint64_t)(n)*1000000u)
#define TH_S(n)    ((uint64_t)(n)*1000000000u)
#define TH_FOREVER UINT64_MAX

/** A th_wakeup after @delay_ns, never earlier; equal deadlines arrive in the order they were asked
 * for. @payload [take] may be NULL.
 *  @id_out may be NULL. Pending wakeups end with the actor. TH_E_LIMIT: timers_max. An endpoint's
 * arrive by th_listen(). */
TH_API TH_NODISCARD th_err th_wakeup_after(th_self *self, uint64_t delay_ns, th_msg *payload,
                                           uint64_t *id_out);

/** One every @period_ns (at least 1 us) until cancelled. A late one does not shift the next. */
TH_API TH_NODISCARD th_err th_wakeup_every(th_self *self, uint64_t period_ns, th_msg *payload,
                                           uint64_t *id_out);

/** Takes a wakeup back: after TH_OK it does not arrive, not even if it had fired and was waiting in
 * the mailbox. TH_E_NO_TIMER: a one-shot that has arrived, one cancelled before, or another
 * actor's. */
TH_API TH_NODISCARD th_err th_wakeup_cancel(th_self *self, uint64_t id);

/* ---- dead letters ---- */

/** Has every message that cannot be delivered sent to this actor as th_dead_letter, until it exits
 * or says false. Any number of actors may. TH_E_LIMIT: TH_DEAD_LETTER_HANDLERS_MAX. */
TH_API TH_NODISCARD th_err th_dead_letters_to_me(th_self *self, bool on);

/* ---- blocking calls ---- */

/** Around a call that blocks: the pool lends a spare thread meanwhile, so that other actors run on.
 * Nothing may be sent between the two. TH_E_NOT_HERE: an endpoint. TH_E_STATE: begun already, or
 * not begun. On the simple base, and for actors with their own thread, no effect. */
TH_API TH_NODISCARD th_err th_blocking_begin(th_self *self);
TH_API TH_NODISCARD th_err th_blocking_end(th_self *self);

TH_END_C
#endif
