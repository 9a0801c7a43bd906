/* troupe.c: jobs through a troupe of four; each answers the one who asked. */
#include "registry.h"

#define WORKERS   4
#define IN_FLIGHT 1000

struct office {
    struct bench_watch watch;
    uint64_t jobs;
    uint64_t sum; /* of the answers */
};

struct boss {
    struct bench_actor actor;
    th_addr troupe;
    uint64_t sent;
    uint64_t answered;
};

static th_err clerk_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct bench_ball *job = bench_ball_of(msg);

    if (!job)
        return TH_OK;
    return bench_ball_send(self, th_msg_sender(msg), *job);
}

static const th_class clerk_class = { .name = "clerk", .receive = clerk_receive };

static th_err hand_out(th_self *self, struct boss *me)
{
    return bench_ball_send(self, me->troupe, (struct bench_ball){ .n = me->sent++ });
}

static th_err boss_receive(th_self *self, void *state, const th_msg *msg)
{
    struct boss *me = state;
    struct office *office = me->actor.shared;
    const struct bench_ball *answer = bench_ball_of(msg);

    if (answer) {
        office->sum += answer->n;
        if (++me->answered == office->jobs)
            return bench_finish(self, &office->watch);
        return me->sent < office->jobs ? hand_out(self, me) : TH_OK;
    }
    BENCH_CHECK(!th_poison_of(msg));
    if (!bench_go_of(msg))
        return TH_OK;
    th_troupe_options options = { .workers_max = WORKERS, .idle_max = WORKERS };
    BENCH_MUST(th_troupe_spawn(self, &clerk_class, NULL, &options, &me->troupe));
    while (me->sent < office->jobs && me->sent < IN_FLIGHT)
        BENCH_MUST(hand_out(self, me));
    return TH_OK;
}

static const th_class boss_class = {
    .name = "boss",
    .state_size = sizeof(struct boss),
    .init = bench_actor_init,
    .receive = boss_receive,
};

static void run_troupe(const struct bench_setup *setup, struct bench_result *result)
{
    struct office office = { .jobs = bench_scaled(setup, 500000, 1) };
    th_system *system = bench_system_start(setup);

    result->ns = bench_play(system, &office.watch, bench_spawn(system, &boss_class, &office, 0));
    result->messages = office.jobs;
    bench_system_stop(system, result);
    BENCH_CHECK(office.sum == office.jobs * (office.jobs - 1) / 2);
}

const struct bench bench_troupe = { "troupe", "500k jobs through 4 workers, 1000 in flight", "job",
                                    run_troupe };
