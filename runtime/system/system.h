/* runtime/system/system.h: a system: the stage, the threads around it, and its life.
 *
 * S1. Memory and depot live from create to destroy; directory, default endpoint, admin and threads
 *     from start; a shutdown ends the actors and the threads. So a late call from outside finds
 *     everything it might touch, closed, until the destroy that excludes it.
 * S2. States go forward only, but for a start that failed:
 *       MADE      th_system_create()     left by th_system_start()
 *       STARTING  th_system_start()      left by the same
 *       RUNNING   threads, actors        left by the shutdown that saw the admin's end
 *       DOWN      no thread, no actor    left by th_system_destroy()
 * S3. Locks, outermost first: step.lock (simple base), lock, an endpoint's, a voice's. */
#ifndef THI_SYSTEM_SYSTEM_H
#define THI_SYSTEM_SYSTEM_H

#include "runtime/system/status_signal.h"
#include "runtime/system/trace.h"
#include "runtime/system/watchdog.h"
#include "runtime/actor/stage.h"

struct thi_external;

/* in this order */
enum thi_system_state {
    THI_SYSTEM_FORKED, /* in the child of a process that has it; it lies in a page that is wiped */
    THI_SYSTEM_MADE,
    THI_SYSTEM_STARTING,
    THI_SYSTEM_RUNNING,
    THI_SYSTEM_DOWN
};

struct th_system {
    struct thi_stage stage;
    th_options options; /* with defaults in place; the name points below */
    char name[TH_NAME_MAX + 1];
    void *block; /* what the handle was cut out of, for its alignment */

    uint64_t started_ns;       /* constant from start on */
    struct thi_external *self; /* the default endpoint; from start on */
    struct thi_watchdog watchdog;
    struct thi_tracing tracing;
    th_trace_options trace; /* what options.trace points to */
    th_clock clock;         /* and options.clock */
    struct thi_status_signal status_signal;
    uint32_t term_seen;     /* how many SIGTERM and SIGINT had come before; the signals' thread's */
    bool hears_term;        /* they are wanted */
    _Atomic bool signalled; /* simple base: one came, whoever drives is to see to it */
    bool in_turn;           /* simple base, under step.lock: an actor's code runs right now */
    uint64_t moment_turns;  /* simple base, under step.lock: turns since virtual time last moved */

    pthread_mutex_t figures_lock; /* the pool's workers are being looked at, or freed */
    bool pool_stopped; /* under it; from then on stage.pool.ended has all their figures */

    pthread_mutex_t lock;   /* what follows */
    pthread_cond_t changed; /* on CLOCK_MONOTONIC: asked, admin_gone or the state has */
    bool asked;             /* somebody wants the system to shut down */
    bool admin_gone;
    bool ending;                    /* somebody is stopping the threads */
    th_msg *exit_request;           /* to the admin, made at start so that it cannot fail */
    struct thi_external *externals; /* all, for the news that it is over */
};

static inline enum thi_system_state thi_system_state(th_system *system)
{
    /* acquire: who sees RUNNING sees what start made; who sees DOWN sees the threads gone; pairs
     * with the release in thi_system_set_state() */
    return (enum thi_system_state)atomic_load_explicit(&system->stage.origin->state,
                                                       memory_order_acquire);
}

static inline void thi_system_set_state(th_system *system, enum thi_system_state state)
{
    /* release: as above */
    atomic_store_explicit(&system->stage.origin->state, (uint8_t)state, memory_order_release);
}

static inline bool thi_system_is_simple(const th_system *system)
{
    return system->stage.base == TH_BASE_SIMPLE;
}

/* TH_OK while it runs, else what a call has to answer: TH_E_INVALID (NULL), TH_E_STATE,
 * TH_E_CLOSED, TH_E_FORKED. */
th_err thi_system_check(th_system *system);

/* Asks the admin to exit, once, and tells who waits for it. On the simple base step.lock is
 * held. */
void thi_system_ask_shutdown(th_system *system);

/* For a start that failed, and for the shutdown. The threads that run actors, and those around
 * them, end; what is left of their cells goes back. Not on the simple base. */
void thi_system_stop_pool(th_system *system);

/* The same for the threads that bring news from outside; no actor is left to hear any. */
void thi_system_stop_hearing(th_system *system);

/* Whether the calling thread runs an actor's code right now, or could: it is one of the pool's. */
bool thi_system_is_actors_thread(th_system *system);

/* standard.c: the first capabilities: the system's own, and @facts. */
th_err thi_standard_capabilities(th_system *system, const th_fact *facts);

/* config.c: @options with every default in place; TH_E_INVALID with the reason. */
th_err thi_options_fill(const th_options *options, th_options *filled_out, const char **why_out);

#endif
