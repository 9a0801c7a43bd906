/* member.h: the worker's side of a troupe.
 *
 * A member is an actor of one of our classes, wrapped around the user's: the user's state comes
 * first in ours, so whoever asks the runtime for the actor's state gets the user's, and our record
 * lies behind it. A job arrives inside a message of our own, so it is never mistaken for another
 * message to the worker's address, whoever sends what when. The runtime retries, poisons, restarts
 * and stops as for any actor: our class says of failures what the user's says. */
#ifndef THI_TROUPE_MEMBER_H
#define THI_TROUPE_MEMBER_H

#include <thespis/actor.h>

/* Largest state of a user's class in a troupe, in bytes. */
#define THI_MEMBER_STATE_MAX ((size_t)1 << 30)

/** What a member is given at init. */
#define THI_MEMBER_START_FIELDS(F, S)                                                              \
    F(S, u64, klass) /* the user's th_class, as a number: local */                                 \
    F(S, addr, leader)                                                                             \
    F(S, u32, worker) /* its index in the leader's roster */                                       \
    F(S, msg, arg)    /* for the user's init, or NULL */
TH_MESSAGE(thi_member_start, THI_MEMBER_START_FIELDS);

/** Leader to member. */
#define THI_MEMBER_JOB_FIELDS(F, S) F(S, u64, id) F(S, u32, worker) F(S, msg, job)
TH_MESSAGE(thi_member_job, THI_MEMBER_JOB_FIELDS);

enum thi_member_news {
    THI_MEMBER_READY,  /* init has run */
    THI_MEMBER_DONE,   /* the job's handler has returned, and it is not held */
    THI_MEMBER_FAILED, /* its last delivery failed; the poison message may come before or after */
    THI_MEMBER_DROPPED /* the state went while the job was under way */
};

/** Member to leader. */
#define THI_MEMBER_REPORT_FIELDS(F, S)                                                             \
    F(S, u32, worker)                                                                              \
    F(S, u32, news)                                                                                \
    F(S, u64, id)                                                                                  \
    F(S, bool_, exits) /* it said th_exit(): no other job, please */
TH_MESSAGE(thi_member_report, THI_MEMBER_REPORT_FIELDS);

/** Whether @klass, NULL included, can be a member's. */
bool thi_member_fits(const th_class *klass);

/** Spawns a member around @klass [keep], as a child of @self, the leader. @arg [lend], may be NULL.
 * As th_spawn(). */
TH_NODISCARD th_err thi_member_spawn(th_self *self, const th_class *klass, uint32_t worker,
                                     const th_msg *arg, th_addr *addr_out);

/** Sends it a job, of which it gets a copy. @job [lend]. */
TH_NODISCARD th_err thi_member_give(th_self *self, th_addr member, uint32_t worker, uint64_t id,
                                    const th_msg *job);

#endif
