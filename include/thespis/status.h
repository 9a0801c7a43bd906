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
    uint64_t spawned;
    uint64_t exited;
    uint64_t wakeups_set;
    uint64_t wakeups_fired;
    uint64_t wakeups_cancelled;
    uint64_t stalls; /* times that an exit waited for memory (TH_STALL_NS) */
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
    uint64_t classes;
    uint64_t dead_letter_handlers;
    uint64_t names; /* global ones in use */
    uint64_t wakeups_pending;
    uint64_t timers_max;
    uint64_t memory_bytes; /* taken from the allocator now */
    uint64_t memory_bytes_peak;
    uint64_t memory_max;
    th_pool_status pool;
} th_system_status;

typedef struct th_actor_status {
    th_addr addr;
    th_addr parent;
    const char *class_name;
    const char *state; /* "starting", "running", "exiting" */
    uint64_t waiting;  /* messages in the mailbox; exact on the simple base, else counted while it
                          changes */
    uint32_t children;
    uint32_t wakeups;
    bool own_thread;
} th_actor_status;

/** How a status is written. */
typedef enum th_status_format { TH_STATUS_TEXT, TH_STATUS_JSON } th_status_format;

/** Is handed what was written, piece by piece: @bytes [lend], not ended by NUL. */
typedef void (*th_status_put)(void *context, const char *bytes, size_t size);

TH_BEGIN_C

/** TH_E_CLOSED after th_system_shutdown() returned TH_OK still fills in the counts. */
TH_API TH_NODISCARD th_err th_system_status_read(th_system *system, th_system_status *status_out);

/** TH_E_NO_ACTOR, TH_E_FOREIGN. */
TH_API TH_NODISCARD th_err th_actor_status_read(th_system *system, th_addr actor,
                                                th_actor_status *status_out);

/** Calls @each for every live actor, in slot order. */
TH_API TH_NODISCARD th_err th_actors_each(
    th_system *system, void (*each)(void *context, const th_actor_status *status), void *context);

/** The status as text, one fact a line. As snprintf(). */
TH_API size_t th_system_status_print(const th_system_status *status, char *text, size_t size);

/** The same as a JSON object (RFC 8259, UTF-8), with keys that stay: docs/guide/status.md. */
TH_API size_t th_system_status_json(const th_system_status *status, char *text, size_t size);

TH_END_C
#endif
