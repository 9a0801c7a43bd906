/* status.h: what a system can say about itself. Any thread, any time; figures of a running system
 * are a moment apart. */
#ifndef THESPIS_STATUS_H
#define THESPIS_STATUS_H

#include <thespis/system.h>

/** Messages of one system since its start. At any quiet moment accepted = handled + dead + waiting.
 */
typedef struct th_counts {
    uint64_t accepted; /* by send, wakeup, exit, failure: everything that was to be delivered */
    uint64_t handled;  /* by a handler, by ask or listen, or by the runtime itself */
    uint64_t dead;     /* given to the dead-letter funnel, whoever listened */
    uint64_t dead_by_reason[TH_DEAD_COUNT];
    uint64_t failed;          /* deliveries whose handler returned an error */
    uint64_t poisoned;        /* messages sent back as poison */
    uint64_t letters_dropped; /* dead letters that no handler could be told of */
    uint64_t refused;         /* calls answered TH_E_NOT_ALLOWED */
    uint64_t stashed;         /* kept by th_stash(), or until first messages have come */
    uint64_t unstashed;       /* of those, put back into the mailbox, or dead */
    uint64_t stash_refused;   /* past TH_STASH_MAX */
    uint64_t full;            /* sends and offers that a full mailbox refused */
    uint64_t holds;           /* times an actor was held until a mailbox drained */
    uint64_t hold_circles;    /* times one was not, since it would have waited for itself */
    uint64_t holds_missed;    /* times one was not for want of memory or TH_MAILBOX_WAITERS_MAX */
    uint64_t spawned;
    uint64_t exited;
    uint64_t deputies_opened;  /* handles for the threads of actors: deputy.h */
    uint64_t deputies_refused; /* past TH_DEPUTIES_MAX */
    uint64_t wakeups_set;
    uint64_t wakeups_fired;
    uint64_t wakeups_cancelled;
    uint64_t watches;        /* made by th_watch_actor() */
    uint64_t links;          /* made by th_link(), by either side */
    uint64_t gone_told;      /* notices of an end sent for those */
    uint64_t stalls;         /* times that an exit waited for memory (TH_STALL_NS) */
    uint64_t watch_messages; /* descriptors that were ready, signals that came */
} th_counts;

typedef struct th_pool_status {
    uint32_t workers; /* by option */
    uint32_t running; /* not parked now */
    uint32_t blocked; /* between th_blocking_begin() and _end() */
    uint32_t spares;  /* extra threads started for those */
    uint32_t own_threads;
    uint64_t turns;
    uint64_t steals;
    uint64_t parks;
    uint64_t wakes;
    uint64_t rescues; /* times a worker stuck in a long handler was relieved of its queue */
} th_pool_status;

/** Of durations that were sampled, to within a sixteenth: that many percent took no longer. */
/* clang-format off: one field a line */
#define TH_TIMES_FIELDS(F, S)                                                                      \
    F(S, u64, samples)                                                                             \
    F(S, u64, p50_ns)                                                                              \
    F(S, u64, p90_ns)                                                                              \
    F(S, u64, p99_ns)                                                                              \
    F(S, u64, p999_ns)                                                                             \
    F(S, u64, max_ns)
/* clang-format on */
TH_MESSAGE(th_times, TH_TIMES_FIELDS);
typedef struct th_times th_times;

typedef struct th_system_status {
    const char *name;
    th_base base;
    uint64_t id;
    uint64_t uptime_ns;
    bool shutting_down;
    th_counts counts;
    uint64_t actors;
    uint64_t actors_max;
    uint64_t endpoints;
    uint64_t deputies; /* open */
    uint64_t classes;
    uint64_t dead_letter_handlers;
    uint64_t names; /* global ones in use */
    uint64_t capabilities;
    uint64_t choosy; /* actors that need some of them */
    uint64_t wakeups_pending;
    uint64_t timers_max;
    uint64_t watches; /* of descriptors and signals */
    uint64_t watches_max;
    uint64_t memory_bytes; /* taken from the allocator now */
    uint64_t memory_bytes_peak;
    uint64_t memory_max;
    uint64_t memory_refused; /* allocations that memory_max did not allow */
    th_pool_status pool;
    bool measured; /* options.measure: */
    th_times
        waiting; /* from an actor's send until it is next in the target's mailbox and it runs */
    th_times handling; /* one delivery, from call to return */
    uint64_t measured_classes;
    uint64_t measured_classes_missed; /* samples of no class: past TH_MEASURED_CLASSES_MAX, or there
                                         was no memory */
    th_log_counts log;
    uint64_t log_queue_max;
    bool tracing;      /* a trace is written; what follows is of that one, or of the last */
    bool trace_failed; /* part of it could not be written */
    uint64_t trace_events;
    uint64_t trace_dropped; /* lost: a ring was full, the file was, or its limit was reached */
    uint64_t trace_bytes;
} th_system_status;

typedef struct th_actor_status {
    th_addr addr;
    th_addr parent;
    const char *class_name;
    const char *state; /* "starting", "running", "exiting" */
    const char *now;   /* "idle", "queued", "busy", "blocked", "starting", "waits for children" */
    uint64_t age_ns;   /* since it was spawned, to some milliseconds */
    uint64_t waiting;  /* messages in the mailbox; exact on the simple base, else counted while it
                          changes; UINT64_MAX: it is stuck, and nobody knows */
    uint32_t children;
    uint32_t wakeups;
    uint32_t stashed; /* of those that wait: kept by th_stash(), or until first messages came */
    th_mailbox_state mailbox; /* its limit, and how much of that is used; mailbox.h */
    bool own_thread;
    bool measured;          /* th_actor_measure(); what follows is since then, and its own: */
    uint64_t deliveries;    /* to its handler; a message that fails is delivered again */
    uint64_t failed;        /* of those, the handler returned an error */
    const char *last_type;  /* of the last one, by name; NULL: there was none */
    th_times waiting_times; /* as in th_system_status, where the system is measured */
    th_times handling_times;
} th_actor_status;

/** A class: of those whose actors live, or were sampled. */
typedef struct th_class_status {
    const char *name; /* NULL: all classes past TH_STATUS_CLASSES_MAX */
    uint64_t actors;  /* alive */
    th_times waiting; /* as in th_system_status, of its actors; without samples all zero */
    th_times handling;
} th_class_status;

/** An actor whose class has more to say (th_class.status): troupes, routers, topics, supervisors,
 * and your own. */
typedef struct th_service_status {
    th_addr addr;
    const char *class_name;
    const th_msg *figures; /* [lend], what it says; NULL: not known now */
} th_service_status;

/** A way in for threads that are no actors. */
typedef struct th_endpoint_status {
    th_addr addr;
    const char *kind;   /* "default", "private" */
    char opened_by[16]; /* the name of the thread that did */
    uint64_t waiting;   /* messages nobody has listened to; UINT64_MAX: not known now */
    uint32_t waiters;   /* threads that ask or listen there */
} th_endpoint_status;

/** One thread that runs actors. */
typedef struct th_worker_status {
    const char *kind; /* "worker", "spare" (lent while another blocks), "own" (one actor's) */
    uint32_t index;
    const char *state;      /* "running", "parked", "blocked" */
    th_addr actor;          /* whose turn it is; none between turns */
    const char *class_name; /* of that actor, or NULL */
    uint64_t turns;
    uint64_t handled; /* messages */
    uint64_t accepted;
    uint64_t steals;
    uint64_t parks;
    uint64_t queued; /* actors that wait for their turn here; UINT64_MAX on the simple base */
    uint64_t age_ns;
    uint64_t rest_ns; /* of those, asleep for want of work */
} th_worker_status;

/** The blocks of one size class, out of which messages and small states are made. */
typedef struct th_block_status {
    uint32_t size;  /* of one, bytes */
    uint64_t count; /* there are; they go back when the system ends */
    uint64_t free; /* of those, waiting for any worker; the rest is in use, or at a worker's hand */
} th_block_status;

/** What th_status_write() is to write of. */
enum th_status_parts {
    TH_STATUS_SYSTEM = 1 << 0,    /* th_system_status */
    TH_STATUS_WORKERS = 1 << 1,   /* each th_worker_status */
    TH_STATUS_BLOCKS = 1 << 2,    /* each th_block_status that has any */
    TH_STATUS_CLASSES = 1 << 3,   /* each th_class_status */
    TH_STATUS_ACTORS = 1 << 4,    /* each th_actor_status, children under their parents */
    TH_STATUS_SERVICES = 1 << 5,  /* each th_service_status, with all that it says */
    TH_STATUS_ENDPOINTS = 1 << 6, /* each th_endpoint_status */
    TH_STATUS_ALL = (1 << 7) - 1
};

/** How a status is written. */
typedef enum th_status_format { TH_STATUS_TEXT, TH_STATUS_JSON } th_status_format;

/** Is handed what was written, piece by piece: @bytes [lend], not ended by NUL. */
typedef void (*th_status_put)(void *context, const char *bytes, size_t size);

/* ---- as messages ---- */

/** To any actor, by anybody: how are you? The actor's runtime answers between two messages, also
 * while it exits, with th_actor_report; the system's own actor (th_system_addr()) with
 * th_system_report. */
#define TH_ASK_STATUS_FIELDS(F, S)                                                                 \
    F(S, u32, format)                                                                              \
    /* th_status_format, of the text below */ F(                                                   \
        S, u32, parts) /* th_status_parts that the system's text is to cover; 0: no text */
TH_MESSAGE(th_ask_status, TH_ASK_STATUS_FIELDS);

/** One message that waits. */
#define TH_WAITING_TYPE_SIZE 48
#define TH_WAITING_FIELDS(F, S)                                                                    \
    F(S, addr, sender) F(S, chars, type, TH_WAITING_TYPE_SIZE) /* its type's name, cut */
TH_MESSAGE(th_waiting, TH_WAITING_FIELDS);

#define TH_ACTOR_REPORT_WAITING 8
/* clang-format off: one field a line */
#define TH_ACTOR_REPORT_FIELDS(F, S)                                                               \
    F(S, addr, actor)                                                                              \
    F(S, addr, parent)                                                                             \
    F(S, str, class_name) /* NULL: no memory for it */                                             \
    F(S, bool_, exiting)                                                                           \
    F(S, bool_, own_thread)                                                                        \
    F(S, u64, age_ns)                                                                              \
    F(S, u64, waiting)                                                                             \
    F(S, u32, children)                                                                            \
    F(S, u32, wakeups)                                                                             \
    F(S, u32, first_count)                                    /* of `first` */                     \
    F(S, nesteds, th_waiting, first, TH_ACTOR_REPORT_WAITING) /* the next to be handled */         \
    F(S, bool_, measured) /* what follows is as in th_actor_status */                              \
    F(S, u64, deliveries)                                                                          \
    F(S, u64, failed)                                                                              \
    F(S, chars, last_type, TH_WAITING_TYPE_SIZE)                                                   \
    F(S, nested, th_times, waiting_times)                                                          \
    F(S, nested, th_times, handling_times)
/* clang-format on */
TH_MESSAGE(th_actor_report, TH_ACTOR_REPORT_FIELDS);

/** The figures of th_system_status; what the text is made of is a moment younger. */
/* clang-format off: one field a line */
#define TH_SYSTEM_REPORT_FIELDS(F, S)                                                              \
    F(S, u64, id)                                                                                  \
    F(S, str, name)                                                                                \
    F(S, u64, uptime_ns)                                                                           \
    F(S, bool_, shutting_down)                                                                     \
    F(S, u64, accepted)                                                                            \
    F(S, u64, handled)                                                                             \
    F(S, u64, dead)                                                                                \
    F(S, u64, failed)                                                                              \
    F(S, u64, poisoned)                                                                            \
    F(S, u64, actors)                                                                              \
    F(S, u64, actors_max)                                                                          \
    F(S, u64, spawned)                                                                             \
    F(S, u64, exited)                                                                              \
    F(S, u64, endpoints)                                                                           \
    F(S, u64, wakeups_pending)                                                                     \
    F(S, u64, memory_bytes)                                                                        \
    F(S, u64, memory_bytes_peak)                                                                   \
    F(S, u64, memory_max)                                                                          \
    F(S, u32, workers)                                                                             \
    F(S, u64, turns)                                                                               \
    F(S, bool_, measured)                                                                          \
    F(S, nested, th_times, waiting_times) /* `waiting` and `handling` of th_system_status */       \
    F(S, nested, th_times, handling_times)                                                         \
    F(S, str, text) /* as asked for; NULL: not asked for, or no memory for it */
/* clang-format on */
TH_MESSAGE(th_system_report, TH_SYSTEM_REPORT_FIELDS);

TH_BEGIN_C

/** Sends th_ask_status to @actor; its th_actor_report comes as a message. To wait for it, or for
 * one that may not come, th_ask() or th_ask_then() with th_ask_status_new(). As th_send(). */
TH_API TH_NODISCARD th_err th_ask_actor_status(th_self *self, th_addr actor);

/** The same to the system's own actor; a th_system_report comes. */
TH_API TH_NODISCARD th_err th_ask_system_status(th_self *self, th_status_format format,
                                                uint32_t parts);

/** The address of the system's own actor, who answers for the system. None for NULL. */
TH_API th_addr th_system_addr(const th_self *self);

/** TH_E_CLOSED after th_system_shutdown() returned TH_OK still fills in the counts. */
TH_API TH_NODISCARD th_err th_system_status_read(th_system *system, th_system_status *status_out);

/** TH_E_NO_ACTOR, TH_E_FOREIGN. */
TH_API TH_NODISCARD th_err th_actor_status_read(th_system *system, th_addr actor,
                                                th_actor_status *status_out);

/** From now on @actor's own figures are kept (@on), or no more: what th_actor_status has behind
 * `measured`. They begin at zero, some microseconds from now: with its next turn. It costs that
 * actor some ten nanoseconds a message, and 12 KiB. TH_E_NO_ACTOR, TH_E_FOREIGN, TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_actor_measure(th_system *system, th_addr actor, bool on);

/** Calls @each for every live actor, in slot order. */
TH_API TH_NODISCARD th_err th_actors_each(
    th_system *system, void (*each)(void *context, const th_actor_status *status), void *context);

/** Calls @each for every thread that runs actors: workers, spares, then own threads. On the simple
 * base there is one, which is whoever drives. TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_workers_each(
    th_system *system, void (*each)(void *context, const th_worker_status *status), void *context);

/** Calls @each for every size class, the smallest first. */
TH_API TH_NODISCARD th_err th_blocks_each(
    th_system *system, void (*each)(void *context, const th_block_status *status), void *context);

/** Calls @each for every class that has actors or samples: at most TH_STATUS_CLASSES_MAX, and one
 * for the actors of all others. */
TH_API TH_NODISCARD th_err th_classes_each(
    th_system *system, void (*each)(void *context, const th_class_status *status), void *context);

/** Calls @each for every actor that has more to say, in slot order. Each is asked, and answers
 * between two messages, as for th_actors_each(): from an actor's own code, what they say is not
 * known. */
TH_API TH_NODISCARD th_err th_services_each(
    th_system *system, void (*each)(void *context, const th_service_status *status), void *context);

/** Calls @each for every endpoint, the youngest first: at most TH_STATUS_ENDPOINTS_MAX.
 * @left_out (may be NULL): how many more there are. TH_E_NOMEM. */
TH_API TH_NODISCARD th_err th_endpoints_each(th_system *system,
                                             void (*each)(void *context,
                                                          const th_endpoint_status *status),
                                             void *context, uint64_t *left_out);

/** The status as text, one fact a line. As snprintf(). */
TH_API size_t th_system_status_print(const th_system_status *status, char *text, size_t size);

/** The same as a JSON object (RFC 8259, UTF-8), with keys that stay: docs/guide/status.md. */
TH_API size_t th_system_status_json(const th_system_status *status, char *text, size_t size);

/** Writes @parts (th_status_parts; 0: all) of @system's status to @put, in any number of pieces. At
 * most TH_STATUS_ACTORS_MAX actors are listed, the rest only counted. TH_E_INVALID. TH_E_CLOSED
 * after a shutdown: still written, as far as there is anything. */
TH_API TH_NODISCARD th_err th_status_write(th_system *system, th_status_format format,
                                           uint32_t parts, th_status_put put, void *context);

TH_END_C
#endif
