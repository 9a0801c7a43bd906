/* Jobs for a troupe whose workers fail, hold their jobs, and die of them. Each job ends once: done,
 * poison to the player who sent it, or a dead letter; one whose worker left it unread is done by
 * another, or leaves with the troupe. */
#include "tests/support/extras/extras.h"

#define TROUPE_JOB_FIELDS(F, S) F(S, u32, mood)
TH_MESSAGE(random_troupe_job, TROUPE_JOB_FIELDS);
TH_MESSAGE_TYPE(random_troupe_job, TROUPE_JOB_FIELDS)

struct random_troupe_arg {
    struct random_extra_run *run;
};
TH_MESSAGE_LOCAL(random_troupe_arg);
TH_MESSAGE_LOCAL_TYPE(random_troupe_arg, NULL)

/* A worker's, over later messages to itself. */
TH_SIGNAL(random_troupe_later);
TH_SIGNAL_TYPE(random_troupe_later)

struct jobs {
    th_addr leader;
    _Atomic uint32_t sent, done, poisoned, dead;
    _Atomic uint32_t unread; /* envelopes that ended with a worker, or its poison with the leader */
};

struct worker {
    struct random_extra_run *run;
};

enum mood { FINE, SLOW, FAILS, DIES, MOODS };

static struct jobs *jobs_of(struct random_extra_run *run)
{
    return (struct jobs *)(void *)run->state;
}

static th_err worker_init(th_self *self, void *state, const th_msg *arg)
{
    struct worker *worker = state;

    worker->run = random_troupe_arg_of(arg)->run;
    return TH_OK;
}

static th_err work(th_self *self, struct worker *worker, uint32_t mood)
{
    struct jobs *jobs = jobs_of(worker->run);

    switch ((enum mood)(mood % MOODS)) {
    case FAILS: return th_fail(self, TH_E_FAILED, "not today");
    case DIES: /* of every third job; the others are done before it goes */
        if (mood % 3 && th_exit(self) != TH_OK)
            return TH_E_FAILED;
        break;
    case SLOW:
        if (th_troupe_hold(self) == TH_OK &&
            random_troupe_later_send(self, th_self_addr(self), (struct random_troupe_later){ 0 }) !=
                TH_OK &&
            th_troupe_done(self) != TH_OK)
            return TH_E_FAILED;
        break;
    case FINE:
    case MOODS: break;
    }
    atomic_fetch_add(&jobs->done, 1);
    return TH_OK;
}

static th_err worker_receive(th_self *self, void *state, const th_msg *msg)
{
    if (random_troupe_job_of(msg))
        return work(self, state, random_troupe_job_of(msg)->mood);
    if (th_msg_type(msg) == &random_troupe_later_type)
        (void)!th_troupe_done(self);
    return TH_OK;
}

static const th_class worker_class = { .name = "random.troupe.worker",
                                       .state_size = sizeof(struct worker),
                                       .init = worker_init,
                                       .receive = worker_receive };

static th_err begin(th_self *me, struct random_extra_run *run)
{
    th_troupe_options options = { .workers_max = 3, .idle_max = 1, .pending_max = 8 };
    struct random_troupe_arg *body;
    th_msg *arg = random_troupe_arg_new(me, &body);

    if (!arg)
        return TH_E_NOMEM;
    body->run = run;
    return th_troupe_spawn(me, &worker_class, arg, &options, &jobs_of(run)->leader);
}

static void act(th_self *player, struct random_extra_run *run)
{
    struct random_troupe_job job = { .mood = (uint32_t)(th_random(player) >> 40) };

    if (random_troupe_job_send(player, jobs_of(run)->leader, job) == TH_OK)
        atomic_fetch_add(&jobs_of(run)->sent, 1);
}

static void hear(th_self *player, struct random_extra_run *run, const th_msg *msg)
{
    if (th_poison_of(msg) && random_troupe_job_of(random_extra_unwrap(msg)))
        atomic_fetch_add(&jobs_of(run)->poisoned, 1);
}

static void letter(struct random_extra_run *run, const th_msg *msg)
{
    struct jobs *jobs = jobs_of(run);
    const th_msg *job = random_extra_unwrap(msg), *unread = th_troupe_job_of(job);

    if (unread)
        atomic_fetch_add(&jobs->unread, random_troupe_job_of(unread) != NULL);
    else if (random_troupe_job_of(job))
        atomic_fetch_add(th_poison_of(msg) ? &jobs->poisoned : &jobs->dead, 1);
}

static void close(th_self *me, struct random_extra_run *run)
{
    (void)!th_stop(me, jobs_of(run)->leader);
}

static const char *verdict(struct random_extra_run *run, bool is_exact)
{
    struct jobs *jobs = jobs_of(run);
    uint32_t sent = atomic_load(&jobs->sent), done = atomic_load(&jobs->done);
    uint32_t rest = atomic_load(&jobs->poisoned) + atomic_load(&jobs->dead);
    uint32_t unread = atomic_load(&jobs->unread);

    if (done + rest > sent)
        return "a troupe's job ended twice";
    return is_exact && done + rest + unread < sent ? "a troupe's job was lost" : NULL;
}

const struct random_extra random_extra_troupe = {
    .name = "troupe",
    .state_size = sizeof(struct jobs),
    .begin = begin,
    .act = act,
    .hear = hear,
    .letter = letter,
    .close = close,
    .verdict = verdict,
};
