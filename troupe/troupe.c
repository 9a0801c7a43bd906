/* troupe.c: the leader: work in, work out.
 *
 * Every message to the leader is a job, but th_troupe_set, th_troupe_ask_status, the members'
 * reports and what the system tells the leader itself: a wakeup or a poison message that somebody
 * forwards to the troupe is a job as well. The roster decides (roster.h); this file turns messages
 * into its events and its actions into messages. The leader keeps its own copy of each job under
 * way, to have it tried again.
 *
 * T1. A worker's end (child-exited) may overtake its last reports, since system messages have a
 *     lane of their own. So the leader sends itself a last word, which arrives behind them, and
 *     acts on that: a job that was done is never done again. The envelope is had before the worker
 *     is spawned, so memory cannot stand in between.
 * T2. A job leaves by exactly one of: done, poison to its sender, dead letter. The two last need
 *     runtime/actor/poison.h and dead_letter.h: poison and letters are the system's messages, which
 *     the front door lets nobody else make. */
#include "troupe/member.h"
#include "troupe/roster.h"

#include "runtime/actor/dead_letter.h"
#include "runtime/actor/poison.h"

#include <thespis/assert.h>
#include <thespis/config.h>
#include <thespis/dispatch.h>
#include <thespis/troupe.h>

#include <stdio.h>

TH_MESSAGE_TYPE(th_troupe_set, TH_TROUPE_SET_FIELDS)
TH_MESSAGE_TYPE(th_troupe_limits, TH_TROUPE_LIMITS_FIELDS)
TH_SIGNAL_TYPE(th_troupe_ask_status)
TH_MESSAGE_TYPE(th_troupe_status, TH_TROUPE_STATUS_FIELDS)

/* What the leader is given at init. */
#define TROUPE_START_FIELDS(F, S)                                                                  \
    F(S, u64, klass) /* the user's th_class, as a number: local */                                 \
    F(S, u32, workers_max)                                                                         \
    F(S, u32, idle_max)                                                                            \
    F(S, u32, pending_max)                                                                         \
    F(S, u32, kills_max)                                                                           \
    F(S, u64, linger_ns)                                                                           \
    F(S, u64, backoff_min_ns)                                                                      \
    F(S, u64, backoff_max_ns)                                                                      \
    F(S, msg, arg)
TH_MESSAGE(troupe_start, TROUPE_START_FIELDS);
TH_MESSAGE_TYPE_AS(troupe_start, TROUPE_START_FIELDS, TH_TYPE_LOCAL, NULL)

/* Leader to itself: what child-exited said, behind the child's reports.  T1 */
#define TROUPE_LAST_WORD_FIELDS(F, S)                                                              \
    F(S, u32, worker)                                                                              \
    F(S, addr, addr)                                                                               \
    F(S, u32, reason)                                                                              \
    F(S, u32, err)                                                                                 \
    F(S, str, details)
TH_MESSAGE(troupe_last_word, TROUPE_LAST_WORD_FIELDS);
TH_MESSAGE_TYPE_AS(troupe_last_word, TROUPE_LAST_WORD_FIELDS, TH_TYPE_LOCAL, NULL)

struct troupe {
    struct thi_roster roster;
    th_allocator allocator; /* th_alloc() for the roster; its context is the handler's self */
    const th_class *klass;
    th_msg *arg;
    uint64_t wakeup; /* the pending one, or 0 */
    bool exiting;    /* nothing is started any more */
};

static void *roster_alloc(void *context, size_t size)
{
    return th_alloc(context, size);
}

static void roster_free(void *context, void *memory, size_t size)
{
    th_free(context, memory, size);
}

/* ---- jobs that end badly ---- */

/* What is known of the death that a job is poison for. */
struct obituary {
    const char *cause;
    th_err err;
    const char *details; /* or NULL */
};

/* @job [take]; NULL is nothing to do. */
static void poison_killer(th_self *self, const struct troupe *troupe, th_msg *job,
                          const struct obituary *last)
{
    char text[TH_DETAILS_SIZE];

    if (!job)
        return;
    snprintf(text, sizeof(text), "%u workers died of this job; the last: %s%s%s",
             troupe->roster.limits.kills_max, last->cause, last->details ? ": " : "",
             last->details ? last->details : "");
    thi_poison_back(self, job, last->err ? last->err : TH_E_FAILED, text);
}

/* ---- actions ---- */

static void spawn(th_self *self, struct troupe *troupe, uint32_t worker)
{
    struct thi_roster *roster = &troupe->roster;
    struct troupe_last_word *last;
    struct obituary why = { .cause = "it could not be made", .err = TH_E_NOMEM, .details = NULL };
    th_msg *last_word = troupe_last_word_new(self, &last);
    th_addr addr;

    if (last_word) {
        why.err = thi_member_spawn(self, troupe->klass, worker, troupe->arg, &addr);
        if (!why.err) {
            last->worker = worker;
            last->addr = addr;
            thi_roster_spawned(roster, worker, addr, last_word);
            return;
        }
        th_msg_destroy(self, last_word);
    }
    why.details = th_strerror(why.err);
    poison_killer(self, troupe, thi_roster_unspawned(roster, worker, th_now(self)), &why);
}

static void give(th_self *self, struct troupe *troupe, const struct thi_roster_action *action)
{
    th_err err = thi_member_give(self, action->addr, action->index, action->id, action->work);

    if (err)
        thi_poison_back(self, thi_roster_unsent(&troupe->roster, action->index, th_now(self)), err,
                        "the job could not be handed to a worker");
}

static void arm(th_self *self, struct troupe *troupe, uint64_t delay_ns)
{
    th_err late = troupe->wakeup ? th_wakeup_cancel(self, troupe->wakeup) : TH_OK;

    (void)late; /* fired already: it is in the mailbox, and unknown by its id when it comes */
    if (th_wakeup_after(self, delay_ns, NULL, &troupe->wakeup)) {
        troupe->wakeup = 0;
        thi_roster_timer(&troupe->roster); /* no timer to be had: the next message asks again */
    }
}

static void act(th_self *self, struct troupe *troupe)
{
    struct thi_roster_action action;

    while (!troupe->exiting && thi_roster_next(&troupe->roster, th_now(self), &action)) {
        switch (action.what) {
        case THI_ROSTER_GIVE: give(self, troupe, &action); break;
        case THI_ROSTER_SPAWN: spawn(self, troupe, action.index); break;
        case THI_ROSTER_DISMISS:
            if (th_stop(self, action.addr)) {
                thi_roster_undismissed(&troupe->roster, action.index, th_now(self));
                return; /* no memory: it would be dismissed again at once */
            }
            break;
        case THI_ROSTER_ARM:
            arm(self, troupe, action.delay_ns);
            if (!troupe->wakeup)
                return;
            break;
        }
    }
}

/* ---- events ---- */

/* A wrapper is seen here only when a handler of dead letters sent it on: what it holds is meant. */
static th_err on_job(th_self *self, void *state, const th_msg *msg)
{
    struct troupe *troupe = state;
    const struct thi_member_job *wrapper = thi_member_job_of(msg);
    th_msg *job = th_msg_dup(self, wrapper && wrapper->job ? wrapper->job : msg);

    if (!job)
        return TH_E_NOMEM;
    switch (thi_roster_job(&troupe->roster, job)) {
    case THI_ROSTER_TAKEN: return TH_OK;
    case THI_ROSTER_FULL: thi_dead_letter(self, job, TH_DEAD_FULL); return TH_OK;
    case THI_ROSTER_NOMEM: th_msg_destroy(self, job); return TH_E_NOMEM;
    }
    TH_NEVER("a fourth answer");
}

static th_err on_report(th_self *self, void *state, const th_msg *msg)
{
    struct troupe *troupe = state;
    struct thi_roster *roster = &troupe->roster;
    const struct thi_member_report *report = thi_member_report_of(msg);
    const struct obituary held = { .cause = "it ended with the job in hand",
                                   .err = TH_E_FAILED,
                                   .details = NULL };
    bool stops = troupe->klass->on_failure == TH_ON_FAILURE_STOP;
    th_addr from = th_msg_sender(msg);
    uint64_t now = th_now(self);

    switch ((enum thi_member_news)report->news) {
    case THI_MEMBER_READY: thi_roster_ready(roster, report->worker, from, now); break;
    case THI_MEMBER_DONE:
        th_msg_destroy(
            self, thi_roster_done(roster, report->worker, from, report->id, report->exits, now));
        break;
    case THI_MEMBER_FAILED:
        th_msg_destroy(self,
                       thi_roster_failed(roster, report->worker, from, report->id, stops, now));
        break;
    case THI_MEMBER_DROPPED:
        poison_killer(self, troupe,
                      thi_roster_dropped(roster, report->worker, from, report->id, now), &held);
        break;
    }
    return TH_OK;
}

/* A job failed in a worker: the runtime sent the wrapper back to us, its sender; the job goes on to
 * its own. */
static th_err on_poison(th_self *self, void *state, const th_msg *msg)
{
    struct troupe *troupe = state;
    const struct th_poison *poison = th_poison_of(msg);
    const struct thi_member_job *wrapper;
    th_msg *mine, *job;

    if (!poison->message || !th_addr_equal(th_msg_sender(poison->message), th_self_addr(self)))
        return on_job(self, state, msg);
    wrapper = thi_member_job_of(poison->message);
    if (!wrapper || !wrapper->job)
        return TH_OK; /* one of our answers failed where it arrived */
    mine = thi_roster_failed(&troupe->roster, wrapper->worker, th_msg_sender(msg), wrapper->id,
                             troupe->klass->on_failure == TH_ON_FAILURE_STOP, th_now(self));
    job = mine ? mine : th_msg_dup(self, wrapper->job);
    if (!job)
        return TH_E_NOMEM;
    thi_poison_back(self, job, (th_err)poison->err, poison->details ? poison->details->data : NULL);
    return TH_OK;
}

static void last_word_spoken(th_self *self, struct troupe *troupe,
                             const struct troupe_last_word *last)
{
    const struct obituary why = { .cause = th_exit_reason_text((th_exit_reason)last->reason),
                                  .err = (th_err)last->err,
                                  .details = last->details ? last->details->data : NULL };
    bool failed = last->reason == TH_EXIT_INIT || last->reason == TH_EXIT_FAILED;

    poison_killer(
        self, troupe,
        thi_roster_exited(&troupe->roster, last->worker, last->addr, failed, th_now(self)), &why);
}

static th_err on_child_exited(th_self *self, void *state, const th_msg *msg)
{
    struct troupe *troupe = state;
    const struct th_child_exited *exited = th_child_exited_of(msg);
    th_msg *last_word = thi_roster_farewell(&troupe->roster, exited->child);
    struct troupe_last_word *last = last_word ? th_msg_body(last_word) : NULL;

    if (!last)
        return on_job(self, state, msg);
    if (troupe->exiting) {
        th_msg_destroy(self, last_word);
        return TH_OK;
    }
    last->reason = exited->reason;
    last->err = exited->err;
    last->details = th_blob_ref(exited->details);
    if (thi_roster_talkative(&troupe->roster, last->worker))
        return th_send(self, th_self_addr(self), last_word); /* T1 */
    last_word_spoken(self, troupe, last);
    th_msg_destroy(self, last_word);
    return TH_OK;
}

static th_err on_last_word(th_self *self, void *state, const th_msg *msg)
{
    last_word_spoken(self, state, troupe_last_word_of(msg));
    return TH_OK;
}

static th_err on_wakeup(th_self *self, void *state, const th_msg *msg)
{
    struct troupe *troupe = state;

    if (!th_addr_equal(th_msg_sender(msg), th_self_addr(self)))
        return on_job(self, state, msg);
    if (th_wakeup_of(msg)->id != troupe->wakeup)
        return TH_OK; /* cancelled too late */
    troupe->wakeup = 0;
    thi_roster_timer(&troupe->roster);
    return TH_OK;
}

static th_err on_exit_request(th_self *self, void *state, const th_msg *msg)
{
    struct troupe *troupe = state;
    const struct thi_roster *roster = &troupe->roster;
    uint32_t index;

    troupe->exiting = true;
    /* Workers are nothing without us: the system would keep them for ever. */
    for (index = 0; th_exit_request_of(msg)->keep_children && index < roster->capacity; index++)
        if (roster->workers[index] && th_stop(self, roster->workers[index]->addr))
            return TH_E_NOMEM;
    return TH_OK;
}

/* ---- control ---- */

static th_err on_set(th_self *self, void *state, const th_msg *msg)
{
    struct troupe *troupe = state;
    const struct thi_roster_limits *limits = &troupe->roster.limits;
    const struct th_troupe_set *set = th_troupe_set_of(msg);
    th_err err;

    /* Whether they were taken is what the answer says: the limits in force. */
    thi_roster_set(&troupe->roster, set->workers_max, set->idle_max, set->pending_max,
                   th_now(self));
    err = th_troupe_limits_send(self, th_msg_sender(msg),
                                (struct th_troupe_limits){ .workers_max = limits->workers_max,
                                                           .idle_max = limits->idle_max,
                                                           .pending_max = limits->pending_max });
    return err == TH_E_NOMEM ? err : TH_OK; /* or nobody is there to be answered */
}

static th_msg *leader_status(th_self *self, const void *state)
{
    const struct thi_roster *roster = &((const struct troupe *)state)->roster;
    const struct thi_roster_limits *limits = &roster->limits;
    const struct thi_roster_counts *counts = &roster->counts;
    struct th_troupe_status *body;
    th_msg *status = th_troupe_status_new(self, &body);

    if (!status)
        return NULL;
    *body = (struct th_troupe_status){ .workers = roster->live,
                                       .idle = roster->idle.count,
                                       .busy = roster->busy,
                                       .lingering = roster->lingering.count,
                                       .workers_max = limits->workers_max,
                                       .idle_max = limits->idle_max,
                                       .pending_max = limits->pending_max,
                                       .pending = roster->pending_count,
                                       .jobs = counts->jobs,
                                       .done = counts->done,
                                       .retried = counts->retried,
                                       .poisoned = counts->poisoned,
                                       .refused = counts->refused,
                                       .deaths = counts->deaths };
    return status;
}

static th_err on_ask_status(th_self *self, void *state, const th_msg *msg)
{
    th_err err = th_send(self, th_msg_sender(msg), leader_status(self, state));

    return err == TH_E_NOMEM ? err : TH_OK;
}

/* ---- the class ---- */

static th_err leader_init(th_self *self, void *state, const th_msg *arg)
{
    struct troupe *troupe = state;
    const struct troupe_start *start = troupe_start_of(arg);
    const struct thi_roster_limits limits = { .workers_max = start->workers_max,
                                              .idle_max = start->idle_max,
                                              .pending_max = start->pending_max,
                                              .kills_max = start->kills_max,
                                              .linger_ns = start->linger_ns,
                                              .backoff_min_ns = start->backoff_min_ns,
                                              .backoff_max_ns = start->backoff_max_ns };

    troupe->klass = (const th_class *)(uintptr_t)start->klass;
    troupe->allocator =
        (th_allocator){ .alloc = roster_alloc, .free = roster_free, .context = self };
    thi_roster_init(&troupe->roster, &troupe->allocator, &limits);
    troupe->arg = start->arg ? th_msg_dup(self, start->arg) : NULL;
    return start->arg && !troupe->arg ? TH_E_NOMEM : TH_OK;
}

static th_err leader_receive(th_self *self, void *state, const th_msg *msg)
{
    static const th_case cases[] = { { &thi_member_report_type, on_report },
                                     { &troupe_last_word_type, on_last_word },
                                     { &th_troupe_set_type, on_set },
                                     { &th_troupe_ask_status_type, on_ask_status },
                                     { &th_child_exited_type, on_child_exited },
                                     { &th_poison_type, on_poison },
                                     { &th_wakeup_type, on_wakeup },
                                     { &th_exit_request_type, on_exit_request },
                                     { NULL, NULL } };
    struct troupe *troupe = state;
    size_t row = 0;
    th_err err;

    troupe->allocator.context = self;
    /* By the type itself, not by what it descends from: a user's type that is one of these too is
     * still a job. */
    while (cases[row].type && cases[row].type != th_msg_type(msg))
        row++;
    err = cases[row].type ? cases[row].handle(self, state, msg) : on_job(self, state, msg);
    act(self, troupe);
    return err;
}

/* The workers have exited. What none of them was sent goes where it would have gone had it still
 * been in the mailbox. */
static void leader_exit(th_self *self, void *state)
{
    struct troupe *troupe = state;
    th_msg *job;
    bool sent;

    troupe->allocator.context = self;
    while ((job = thi_roster_clear(&troupe->roster, &sent))) {
        if (sent) {
            th_msg_destroy(self, job);
            continue;
        }
        thi_dead_letter(self, job, TH_DEAD_EXITING);
    }
    while ((job = thi_roster_strike(&troupe->roster)))
        th_msg_destroy(self, job);
    thi_roster_fini(&troupe->roster);
    th_msg_destroy(self, troupe->arg);
    troupe->arg = NULL;
}

static const th_class leader_class = { .name = "troupe leader",
                                       .state_size = sizeof(struct troupe),
                                       .init = leader_init,
                                       .receive = leader_receive,
                                       .exit = leader_exit,
                                       .on_failure = TH_ON_FAILURE_KEEP,
                                       .status = leader_status };

/* ---- the front door ---- */

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value ? value : otherwise;
}

/* Fills in the defaults. The default of a lower bound bends to the upper one, wishes do not. */
static void limits_from(const th_troupe_options *options, struct thi_roster_limits *limits)
{
    static const th_troupe_options none;

    if (!options)
        options = &none;
    limits->workers_max = (uint32_t)or_default(options->workers_max, TH_TROUPE_WORKERS_DEFAULT);
    limits->idle_max = (uint32_t)or_default(options->idle_max, TH_TROUPE_IDLE_DEFAULT);
    limits->pending_max = (uint32_t)or_default(options->pending_max, TH_TROUPE_PENDING_DEFAULT);
    limits->kills_max = (uint32_t)or_default(options->kills_max, TH_TROUPE_KILLS_DEFAULT);
    limits->linger_ns = or_default(options->linger_ns, TH_TROUPE_LINGER_NS);
    limits->backoff_min_ns = or_default(options->backoff_min_ns, TH_TROUPE_BACKOFF_MIN_NS);
    limits->backoff_max_ns = or_default(options->backoff_max_ns, TH_TROUPE_BACKOFF_MAX_NS);
    if (!options->idle_max && limits->idle_max > limits->workers_max)
        limits->idle_max = limits->workers_max;
    if (!options->backoff_min_ns && limits->backoff_min_ns > limits->backoff_max_ns)
        limits->backoff_min_ns = limits->backoff_max_ns;
}

th_err th_troupe_spawn(th_self *self, const th_class *klass, th_msg *arg,
                       const th_troupe_options *options, th_addr *addr_out)
{
    struct thi_roster_limits limits;
    struct troupe_start *start;
    th_msg *msg;

    if (!self)
        return TH_E_INVALID; /* and without a handle @arg cannot be freed */
    limits_from(options, &limits);
    if (!addr_out || !thi_member_fits(klass) || !thi_roster_limits_check(&limits)) {
        th_msg_destroy(self, arg);
        return TH_E_INVALID;
    }
    msg = troupe_start_new(self, &start);
    if (!msg) {
        th_msg_destroy(self, arg);
        return TH_E_NOMEM;
    }
    start->klass = (uint64_t)(uintptr_t)klass;
    start->workers_max = limits.workers_max;
    start->idle_max = limits.idle_max;
    start->pending_max = limits.pending_max;
    start->kills_max = limits.kills_max;
    start->linger_ns = limits.linger_ns;
    start->backoff_min_ns = limits.backoff_min_ns;
    start->backoff_max_ns = limits.backoff_max_ns;
    start->arg = arg;
    return th_spawn(self, &leader_class, msg, addr_out);
}
