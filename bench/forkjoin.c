/* forkjoin.c: one actor feeds many, and hears from each when it has had its share. */
#include "registry.h"

#define WORKERS 60
#define ROUNDS  2 /* through all workers a handler call, so 120 messages; see counting.c */

struct work {
    struct bench_watch watch;
    uint64_t each;
    uint64_t rounds; /* a handler call */
    th_addr source;
    th_addr worker[WORKERS];
};

struct source {
    struct bench_actor actor;
    uint64_t sent; /* to each worker */
    uint64_t joined;
};

static th_err feed(th_self *self, void *state, const th_msg *msg)
{
    struct source *me = state;
    struct work *work = me->actor.shared;

    if (bench_over_of(msg))
        return ++me->joined < WORKERS ? TH_OK : bench_finish(self, &work->watch);
    if (!bench_go_of(msg) && !bench_on_of(msg))
        return TH_OK;
    for (uint64_t i = 0; i < work->rounds && me->sent < work->each; i++, me->sent++) {
        for (uint64_t w = 0; w < WORKERS; w++)
            BENCH_MUST(
                bench_ball_send(self, work->worker[w], (struct bench_ball){ .n = me->sent }));
    }
    if (me->sent == work->each)
        return TH_OK;
    return bench_on_send(self, th_self_addr(self), (struct bench_on){ 0 });
}

struct worker {
    struct bench_actor actor;
    uint64_t seen;
};

static th_err eat(th_self *self, void *state, const th_msg *msg)
{
    struct worker *me = state;
    struct work *work = me->actor.shared;
    const struct bench_ball *ball = bench_ball_of(msg);

    if (!ball)
        return TH_OK;
    BENCH_CHECK(ball->n == me->seen);
    if (++me->seen < work->each)
        return TH_OK;
    return bench_over_send(self, work->source, (struct bench_over){ 0 });
}

static const th_class source_class = {
    .name = "source",
    .state_size = sizeof(struct source),
    .init = bench_actor_init,
    .receive = feed,
};

static const th_class worker_class = {
    .name = "worker",
    .state_size = sizeof(struct worker),
    .init = bench_actor_init,
    .receive = eat,
};

static void run_work(const struct bench_setup *setup, struct bench_result *result, bool burst)
{
    struct work work = { .each = bench_scaled(setup, 100000, 1) };
    th_system *system = bench_system_start(setup);

    work.rounds = burst ? work.each : ROUNDS;
    work.source = bench_spawn(system, &source_class, &work, 0);
    for (uint64_t i = 0; i < WORKERS; i++)
        work.worker[i] = bench_spawn(system, &worker_class, &work, i);
    result->ns = bench_play(system, &work.watch, work.source);
    result->messages = work.each * WORKERS;
    bench_system_stop(system, result);
}

static void run_forkjoin(const struct bench_setup *setup, struct bench_result *result)
{
    run_work(setup, result, false);
}

static void run_forkjoin_burst(const struct bench_setup *setup, struct bench_result *result)
{
    run_work(setup, result, true);
}

const struct bench bench_forkjoin = { "forkjoin",
                                      "1 to 60 actors x 100k messages, 120 a handler call",
                                      "message", run_forkjoin };
const struct bench bench_forkjoin_burst = {
    "forkjoin-burst", "1 to 60 actors x 100k messages, all from one handler call", "message",
    run_forkjoin_burst
};
