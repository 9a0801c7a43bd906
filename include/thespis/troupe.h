/* troupe.h: one address in front of several workers of one class.
 *
 * The leader hands each message to exactly one worker: idle ones in turn, a new one while fewer
 * than workers_max live, else it waits. Workers see the message with its first sender, so they
 * answer directly. Below, "job" is one such message. */
#ifndef THESPIS_TROUPE_H
#define THESPIS_TROUPE_H

#include <thespis/actor.h>

/** Zero means the default of config.h. */
typedef struct th_troupe_options {
    uint32_t workers_max;
    uint32_t idle_max;    /* workers kept idle; one past it lingers, then leaves */
    uint32_t pending_max; /* jobs waiting while all are busy; past it a job is a dead letter,
                             TH_DEAD_FULL */
    uint32_t kills_max;   /* workers that may die of a job before it is poison */
    uint64_t linger_ns;
    uint64_t backoff_min_ns; /* before a dead worker is replaced: doubles to the max, back to min
                                after a job done */
    uint64_t backoff_max_ns;
} th_troupe_options;

/** Changes limits of a running troupe: a 0 leaves that one. Answered with th_troupe_limits: those
 * in force. Lowering takes effect as workers finish. */
#define TH_TROUPE_SET_FIELDS(F, S) F(S, u32, workers_max) F(S, u32, idle_max) F(S, u32, pending_max)
TH_MESSAGE(th_troupe_set, TH_TROUPE_SET_FIELDS);

#define TH_TROUPE_LIMITS_FIELDS(F, S)                                                              \
    F(S, u32, workers_max) F(S, u32, idle_max) F(S, u32, pending_max)
TH_MESSAGE(th_troupe_limits, TH_TROUPE_LIMITS_FIELDS);

/** Asks the leader how it is; answered with th_troupe_status. */
TH_SIGNAL(th_troupe_ask_status);

/* clang-format off: one field a line */
#define TH_TROUPE_STATUS_FIELDS(F, S)                                                              \
    F(S, u32, workers)                                                                             \
    F(S, u32, idle)                                                                                \
    F(S, u32, busy)                                                                                \
    F(S, u32, lingering)                                                                           \
    F(S, u32, workers_max)                                                                         \
    F(S, u32, idle_max)                                                                            \
    F(S, u32, pending_max)                                                                         \
    F(S, u64, pending)                                                                             \
    F(S, u64, jobs)                                                                                \
    F(S, u64, done)                                                                                \
    F(S, u64, retried)                                                                             \
    F(S, u64, poisoned)                                                                            \
    F(S, u64, refused)                                                                             \
    F(S, u64, deaths)
/* clang-format on */
TH_MESSAGE(th_troupe_status, TH_TROUPE_STATUS_FIELDS);

TH_BEGIN_C

/** A troupe whose workers are of @klass [keep], each given a copy of @arg [take, may be NULL] at
 * init. @options may be NULL. The leader is the caller's child; asking it to exit takes all
 * workers. TH_E_INVALID: idle_max above workers_max. Else as th_spawn(). */
TH_API TH_NODISCARD th_err th_troupe_spawn(th_self *self, const th_class *klass, th_msg *arg,
                                           const th_troupe_options *options, th_addr *addr_out);

/** In a worker's handler: this job goes on over later messages to the worker; no other job until
 * th_troupe_done(). Messages sent to the worker's own address meanwhile are handled as usual.
 * TH_E_NOT_HERE: the caller is no worker of a troupe, or has no job. */
TH_API TH_NODISCARD th_err th_troupe_hold(th_self *self);

/** The held job is done. TH_E_STATE: none is held, or a blocking call is open. */
TH_API TH_NODISCARD th_err th_troupe_done(th_self *self);

/** A job on its way to a worker lies in an envelope of the troupe's, and when the worker exits it
 * is the envelope that becomes a dead letter (or its poison, when the leader exits): the job in
 * @msg [lend], or NULL if @msg is no such envelope. While its leader lives, that job is tried again
 * with another worker. */
TH_API const th_msg *th_troupe_job_of(const th_msg *msg);

TH_END_C
#endif
