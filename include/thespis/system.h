/* system.h: a system is workers, a directory and an admin; several in one process share nothing.
 *
 *     th_system *sys = th_system_create(NULL);
 *     th_system_start(sys);  ...  th_system_shutdown(sys, TH_S(5), NULL, NULL);
 *     th_system_destroy(sys);
 *
 * Thread rules: any thread, but create and destroy exclude every other call on that system. After a
 * shutdown every call on the system and its endpoints answers TH_E_CLOSED until
 * th_system_destroy().
 *
 * fork(): a child has none of the threads. Everything here and every call of an endpoint answers
 * TH_E_FORKED there, at once, for any system made before the fork; th_system_destroy() frees the
 * copy without waiting. A child made inside a handler has to call exec or _exit before the handler
 * returns. A system of the child's own can be had if no system existed, and no other thread had
 * called into one, when it was made. */
#ifndef THESPIS_SYSTEM_H
#define THESPIS_SYSTEM_H

#include <thespis/actor.h>
#include <thespis/clock.h>
#include <thespis/log.h>
#include <thespis/trace.h>

typedef enum th_base {
    TH_BASE_POOL,  /* worker threads */
    TH_BASE_SIMPLE /* one thread, the caller's; virtual time; a seed decides every interleaving
                      (testkit.h) */
} th_base;

enum th_signal_flags {
    TH_SIGNAL_TERM =
        1 << 0, /* SIGTERM and SIGINT ask for a shutdown; previous handlers come back at its end */
    TH_SIGNAL_STATUS =
        1
        << 1 /* SIGUSR1 has the whole status written as text, asking no actor: also when all hang */
};

/** A handler that has been running for too long, or has come out at last. Good during the call. */
typedef struct th_stall {
    th_addr actor;
    const char *class_name;
    const char *type_name; /* of the message; NULL: in init or exit, or not known */
    uint32_t worker;       /* its index */
    uint64_t duration_ns;  /* so far; seen from outside, so a little less than it was */
    bool has_ended;
    const char *stack; /* of its thread, a frame a line; NULL: not asked for, or no answer */
} th_stall;

/** Zero everywhere is a good default. Copied by th_system_create(). */
typedef struct th_options {
    th_base base;
    const char *name;     /* in status and thread names; NULL: "thespis" */
    uint32_t workers;     /* 0: TH_WORKERS_DEFAULT; at most TH_WORKERS_MAX */
    bool pin_workers;     /* one core each */
    bool pumped;          /* simple base only: real time, and driven by th_pump() (pump.h) */
    uint64_t seed;        /* simple base; 0: first come, first served */
    uint32_t signals;     /* enum th_signal_flags; 0: no signal is touched */
    uint32_t actors_max;  /* 0: TH_ACTORS_MAX_DEFAULT */
    uint32_t timers_max;  /* 0: TH_TIMERS_MAX_DEFAULT */
    uint32_t watches_max; /* 0: TH_WATCHES_MAX_DEFAULT */
    uint64_t memory_max;  /* bytes, 0: no ceiling */
    bool measure; /* keeps histograms of how long messages wait and are handled, of a few of them;
                     in status. No effect on the simple base */
    uint64_t watchdog_ns; /* handlers that run longer are reported; 0: nobody looks. At least
                                      TH_WATCHDOG_NS_MIN. No effect on the simple base */
    /** Is told, on the watchdog's thread, once when it is too long and once when it ends. NULL: a
     * record at WARN, or where nothing is logged a line on standard error. */
    void (*watchdog)(void *context, const th_stall *stall);
    void *watchdog_context;
    int watchdog_signal;     /* SIGRTMIN to SIGRTMAX: sent to the thread at fault for its stack, and
                            interrupts what it waits in; 0: without */
    int status_fd;           /* where TH_SIGNAL_STATUS is written; 0: standard error */
    const char *status_path; /* [keep] until destroy; a file it is appended to instead, or NULL */
    const th_allocator *allocator; /* NULL: malloc and free; copied */
    const th_clock *clock;         /* NULL: the operating system's; copied. No effect on the simple
                                      base (clock.h) */
    const th_fact *capabilities;   /* to begin with, ended by a NULL name; copied (capability.h) */
    const th_trace_options *trace; /* from the start on; NULL: as the environment says (trace.h) */
    const th_log_options *log;     /* NULL: as the environment says, else WARN to stderr (log.h) */
} th_options;

/** What a shutdown that ran out of time left behind: one call for each. @what says what it is
 * doing. */
typedef void (*th_leftover)(void *context, th_addr actor, const char *class_name, const char *what);

TH_BEGIN_C

/** A system that does not run yet [give], or NULL: no memory, or absurd @options (say why:
 * th_options_check()). */
TH_API th_system *th_system_create(const th_options *options);

/** TH_E_INVALID and, in @why_out (may be NULL, static text), the option at fault; TH_OK if they
 * will do. NULL will do. */
TH_API TH_NODISCARD th_err th_options_check(const th_options *options, const char **why_out);

/** Starts threads and the admin. TH_E_STATE: started before. TH_E_THREAD: the threads cannot be
 * had; nothing was left running. */
TH_API TH_NODISCARD th_err th_system_start(th_system *system);

/** Asks every actor to exit, waits at most @timeout_ns, stops the threads. TH_OK: every exit
 * function ran, every thread ended. TH_E_TIMEOUT: @leftover (may be NULL) was called for each actor
 * still there; the shutdown goes on, call again to wait longer. TH_E_STATE: never started, or shut
 * down before. From any thread that is no actor's (an actor gets TH_E_NOT_ALLOWED:
 *  th_request_shutdown() is for it). */
TH_API TH_NODISCARD th_err th_system_shutdown(th_system *system, uint64_t timeout_ns,
                                              th_leftover leftover, void *context);

/** Waits until something asks for a shutdown: th_request_shutdown(), or SIGTERM where asked for.
 * TH_E_TIMEOUT. TH_E_CLOSED: it is shut down. Simple base: runs the system meanwhile, in virtual
 * time, and TH_E_TIMEOUT also when nothing is left to run. */
TH_API TH_NODISCARD th_err th_system_wait(th_system *system, uint64_t timeout_ns);

/** Frees it [take]. TH_E_STATE: it runs, or endpoints or deputies are open; then nothing was done.
 * NULL: TH_OK. */
TH_API th_err th_system_destroy(th_system *system);

/** Registers @klass [keep] under its name, for th_spawn_with(). TH_E_EXISTS: another class has that
 * name; the same one again is TH_OK. */
TH_API TH_NODISCARD th_err th_class_register(th_system *system, const th_class *klass);

/** Registers @type [keep] under its name: what another system sends of it can be read here from now
 * on (transport.h). What this one only sends needs none. TH_E_EXISTS: another type has that name;
 * the same one again is TH_OK. TH_E_INVALID: th_type_check(), or it is local only. TH_E_LIMIT:
 * TH_TYPES_MAX. */
TH_API TH_NODISCARD th_err th_type_register(th_system *system, const th_type *type);

/** The id that every address of this system carries; fresh at every create. 0 for NULL. */
TH_API uint64_t th_system_id(const th_system *system);

/** The system's own actor, for questions that it answers (name.h, status.h). None before the start.
 */
TH_API th_addr th_system_admin(const th_system *system);

/** Version of the library that runs, "major.minor.patch". */
TH_API const char *th_version(void);

TH_END_C
#endif
