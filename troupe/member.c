/* member.c: a user's class at work in a troupe.
 *
 * M1. A report is never lost for want of memory: its envelope is had before the user's handler
 *     runs, so a job that was done is known to be done. If it cannot be had, the member exits: of
 *     that the leader always hears, and has the job tried again.
 * M2. @job is the job under way: from the first delivery until its report. A failed delivery leaves
 *     it, since the runtime delivers again; when the actor ends in between, it is dropped.
 * M3. Nothing is reported of a job once the leader has asked this member to exit: the leader is
 *     going, or has taken the member off its roster.
 * M4. A handler that said th_exit() is about to end its actor. The leader is told, so that the next
 *     job is not sent into a closing mailbox; the front door has no question
 *     for that. */
#include "troupe/member.h"

#include "runtime/actor/behaviour.h"
#include "runtime/actor/dispatch.h"
#include "runtime/actor/exit.h"
#include "runtime/actor/stash.h"

#include <thespis/config.h>
#include <thespis/troupe.h>

/* Our record, behind the user's state. All is the running actor's own. */
struct member {
    const th_class *klass;
    th_addr leader;
    th_msg *report; /* the next report's envelope, M1 */
    uint64_t job;   /* its id, or 0 */
    uint32_t worker;
    uint32_t failures; /* of this job's deliveries */
    bool handling;     /* the user's handler runs on the job's own message */
    bool held;
    bool silent; /* M3 */
};

TH_MESSAGE_TYPE_AS(thi_member_start, THI_MEMBER_START_FIELDS, TH_TYPE_LOCAL, NULL)
TH_MESSAGE_TYPE_AS(thi_member_job, THI_MEMBER_JOB_FIELDS, TH_TYPE_LOCAL, NULL)
TH_MESSAGE_TYPE_AS(thi_member_report, THI_MEMBER_REPORT_FIELDS, TH_TYPE_LOCAL, NULL)

static th_err member_init(th_self *self, void *state, const th_msg *arg);
static th_err member_receive(th_self *self, void *state, const th_msg *msg);
static void member_exit(th_self *self, void *state);

/* ---- our classes: one for each size and each answer to failure ----
 *
 * A class must outlive its actors and the runtime's last look at them, which nothing at the front
 * door tells, so ours are static. Sizes are powers of two: at most half the room is wasted, and
 * only of zeroed pages where it is large. */

struct member_class {
    th_class klass;
    size_t room; /* for the user's state, then comes struct member */
};

/* clang-format off */
#define ONE(bits, what)                                                                            \
    { { .name = "troupe member",                                                                   \
        .state_size = ((size_t)1 << (bits)) + sizeof(struct member),                               \
        .init = member_init,                                                                       \
        .receive = member_receive,                                                                 \
        .exit = member_exit,                                                                       \
        .on_failure = TH_ON_FAILURE_##what,                                                        \
        .flags = THI_CLASS_WRAPS },                                                      \
      .room = (size_t)1 << (bits) }
#define ALL(bits) { ONE(bits, KEEP), ONE(bits, RESTART), ONE(bits, STOP) }

static const struct member_class classes[][3] = {
    ALL(4),  ALL(5),  ALL(6),  ALL(7),  ALL(8),  ALL(9),  ALL(10), ALL(11), ALL(12),
    ALL(13), ALL(14), ALL(15), ALL(16), ALL(17), ALL(18), ALL(19), ALL(20), ALL(21),
    ALL(22), ALL(23), ALL(24), ALL(25), ALL(26), ALL(27), ALL(28), ALL(29), ALL(30)
};
/* clang-format on */

static const th_class *class_for(const th_class *klass)
{
    size_t row = 0;

    while (classes[row][0].room < klass->state_size)
        row++;
    return &classes[row][klass->on_failure].klass;
}

/* NULL: @self is not a member. */
static struct member *member_of(const th_self *self)
{
    const th_class *klass = self ? th_self_class(self) : NULL;
    void *state;

    if (!klass || klass->receive != member_receive)
        return NULL;
    state = th_self_state(self);
    /* The class is the first thing in ours. */
    return (struct member *)((char *)state + ((const struct member_class *)klass)->room);
}

/* ---- reports ---- */

static th_err report_reserve(th_self *self, struct member *member)
{
    if (!member->report)
        member->report = thi_member_report_new(self, NULL);
    return member->report ? TH_OK : TH_E_NOMEM;
}

/* Nothing can be sent while a blocking call is open. The runtime closes one that a handler forgot,
 * but only after us. */
static void end_forgotten_blocking(th_self *self)
{
    th_err none = th_blocking_end(self);

    (void)none; /* TH_E_STATE, nearly always */
}

/* Not TH_OK: it was not sent, and the envelope is spent. */
static th_err report(th_self *self, struct member *member, enum thi_member_news news)
{
    th_msg *msg = member->report;
    struct thi_member_report *body = msg ? th_msg_body(msg) : NULL;
    uint64_t id = member->job;

    member->job = 0;
    member->held = false;
    member->failures = 0;
    if (!msg || member->silent)
        return TH_OK;
    member->report = NULL;
    body->worker = member->worker;
    body->news = news;
    body->id = id;
    body->exits = thi_exit_is_asked(self); /* M4 */
    return th_send(self, member->leader, msg);
}

/* ---- the class ---- */

static th_err member_init(th_self *self, void *state, const th_msg *arg)
{
    struct member *member = member_of(self);
    const struct thi_member_start *start = arg ? thi_member_start_of(arg) : NULL;
    const th_initial *initial;
    thi_init init;
    th_err err;

    if (!start)
        return TH_E_INVALID;
    member->klass = (const th_class *)(uintptr_t)start->klass;
    member->leader = start->leader;
    member->worker = start->worker;
    err = report_reserve(self, member);
    init = thi_class_init(member->klass);
    if (!err && init)
        err = init(self, state, start->arg);
    initial = thi_class_initial(member->klass);
    if (!err && initial)
        err = th_initial_begin(self, initial);
    if (err)
        return err;
    end_forgotten_blocking(self);
    return report(self, member, THI_MEMBER_READY);
}

static th_err user_receive(th_self *self, const struct member *member, void *state,
                           const th_msg *msg)
{
    return thi_behave_as(self, member->klass, state, msg);
}

static th_err do_job(th_self *self, struct member *member, void *state, const th_msg *msg)
{
    const struct thi_member_job *wrapper = thi_member_job_of(msg);
    th_err err;

    if (member->job != wrapper->id)
        member->failures = 0;
    member->job = wrapper->id;
    if (report_reserve(self, member))
        return th_exit(self); /* M1 */
    member->handling = true;
    err = user_receive(self, member, state, wrapper->job);
    member->handling = false;
    end_forgotten_blocking(self);
    if (!err && thi_stash_asked(self, wrapper->job, msg))
        return TH_OK; /* it will come again, and is this member's until then */
    if (err) {
        member->held = false;
        /* The poison message says so too; but it may fail for want of memory, and this cannot. */
        if (++member->failures == TH_DELIVERIES_MAX)
            report(self, member, THI_MEMBER_FAILED);
        return err;
    }
    member->failures = 0;
    if (!member->held)
        report(self, member, THI_MEMBER_DONE);
    return TH_OK;
}

static th_err member_receive(th_self *self, void *state, const th_msg *msg)
{
    struct member *member = member_of(self);
    const struct thi_member_job *wrapper = thi_member_job_of(msg);

    /* A wrapper that a handler of dead letters sent on, while we hold a job, is a plain message. */
    if (wrapper && th_addr_equal(th_msg_sender(msg), member->leader) && !member->held)
        return do_job(self, member, state, msg);
    if (th_exit_request_of(msg) && th_addr_equal(th_msg_sender(msg), member->leader))
        member->silent = true; /* M3 */
    return user_receive(self, member, state, msg);
}

static void member_exit(th_self *self, void *state)
{
    struct member *member = member_of(self);
    thi_exit leave = member->klass ? thi_class_exit(member->klass) : NULL;

    if (leave)
        leave(self, state);
    end_forgotten_blocking(self);
    if (member->job)
        report(self, member, THI_MEMBER_DROPPED);
    th_msg_destroy(self, member->report);
    member->report = NULL;
}

/* ---- the leader's verbs ---- */

bool thi_member_fits(const th_class *klass)
{
    return klass && klass->state_size <= THI_MEMBER_STATE_MAX && !thi_class_check(klass) &&
           (unsigned)klass->on_failure <= TH_ON_FAILURE_STOP;
}

th_err thi_member_spawn(th_self *self, const th_class *klass, uint32_t worker, const th_msg *arg,
                        th_addr *addr_out)
{
    struct thi_member_start *start;
    th_spawn_options options = { .klass = class_for(klass),
                                 .own_thread = (klass->flags & TH_CLASS_OWN_THREAD) != 0,
                                 .age_ns_max = thi_class_age(klass),
                                 .idle_ns_max = thi_class_idle(klass) };

    options.arg = thi_member_start_new(self, &start);
    if (!options.arg)
        return TH_E_NOMEM;
    start->klass = (uint64_t)(uintptr_t)klass;
    start->leader = th_self_addr(self);
    start->worker = worker;
    start->arg = arg ? th_msg_dup(self, arg) : NULL;
    if (arg && !start->arg) {
        th_msg_destroy(self, options.arg);
        return TH_E_NOMEM;
    }
    return th_spawn_with(self, &options, addr_out);
}

th_err thi_member_give(th_self *self, th_addr member, uint32_t worker, uint64_t id,
                       const th_msg *job)
{
    struct thi_member_job *wrapper;
    th_msg *msg = thi_member_job_new(self, &wrapper);

    if (!msg)
        return TH_E_NOMEM;
    wrapper->id = id;
    wrapper->worker = worker;
    wrapper->job = th_msg_dup(self, job);
    if (!wrapper->job) {
        th_msg_destroy(self, msg);
        return TH_E_NOMEM;
    }
    return th_send(self, member, msg);
}

/* ---- the user's verbs ---- */

th_err th_troupe_hold(th_self *self)
{
    struct member *member;

    if (!self)
        return TH_E_INVALID;
    member = member_of(self);
    if (!member || !member->job || !(member->handling || member->held))
        return TH_E_NOT_HERE;
    member->held = true;
    return TH_OK;
}

const th_msg *th_troupe_job_of(const th_msg *msg)
{
    const struct thi_member_job *wrapper = msg ? thi_member_job_of(msg) : NULL;

    return wrapper ? wrapper->job : NULL;
}

th_err th_troupe_done(th_self *self)
{
    struct member *member;
    uint64_t job;
    th_err err;

    if (!self)
        return TH_E_INVALID;
    member = member_of(self);
    if (!member)
        return TH_E_NOT_HERE;
    if (!member->held)
        return TH_E_STATE;
    if (member->handling) {
        member->held = false; /* reported when the handler returns, if it does not fail */
        return TH_OK;
    }
    job = member->job;
    err = report_reserve(self, member); /* an earlier try may have spent it */
    if (!err)
        err = report(self, member, THI_MEMBER_DONE);
    if (err) {
        member->job = job;
        member->held = true;
    }
    return err;
}
