/* big.c: everybody talks to everybody: each actor pings a random other one, waits for its pong,
 * and pings the next. */
#include "registry.h"

#define ACTORS 120

struct crowd {
    struct bench_watch watch;
    uint64_t pings; /* each */
    th_addr actor[ACTORS];
    th_addr sink;
    uint64_t answered[ACTORS]; /* each written by one actor */
};

TH_SIGNAL(big_pong);
TH_SIGNAL_TYPE(big_pong)

struct talker {
    struct bench_actor actor;
    uint64_t seed;
    uint64_t left;
};

static th_err ping_somebody(th_self *self, struct talker *me)
{
    struct crowd *crowd = me->actor.shared;
    uint64_t other = bench_random(&me->seed) % (ACTORS - 1);

    other += other >= me->actor.index; /* anybody but me */
    return bench_ball_send(self, crowd->actor[other], (struct bench_ball){ .n = me->left });
}

static th_err talker_receive(th_self *self, void *state, const th_msg *msg)
{
    struct talker *me = state;
    struct crowd *crowd = me->actor.shared;

    if (bench_ball_of(msg))
        return big_pong_send(self, th_msg_sender(msg), (struct big_pong){ 0 });
    if (big_pong_of(msg)) {
        crowd->answered[me->actor.index]++;
        if (--me->left == 0)
            return bench_over_send(self, crowd->sink, (struct bench_over){ 0 });
        return ping_somebody(self, me);
    }
    if (!bench_go_of(msg))
        return TH_OK;
    me->seed = me->actor.index * 0x9e3779b97f4a7c15u + 1;
    me->left = crowd->pings;
    return ping_somebody(self, me);
}

struct sink {
    struct bench_actor actor;
    uint64_t done;
};

static th_err sink_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sink *me = state;
    struct crowd *crowd = me->actor.shared;

    if (bench_over_of(msg))
        return ++me->done < ACTORS ? TH_OK : bench_finish(self, &crowd->watch);
    if (bench_go_of(msg)) {
        for (int i = 0; i < ACTORS; i++)
            BENCH_MUST(bench_go_send(self, crowd->actor[i], (struct bench_go){ 0 }));
    }
    return TH_OK;
}

static const th_class talker_class = {
    .name = "talker",
    .state_size = sizeof(struct talker),
    .init = bench_actor_init,
    .receive = talker_receive,
};

static const th_class sink_class = {
    .name = "sink",
    .state_size = sizeof(struct sink),
    .init = bench_actor_init,
    .receive = sink_receive,
};

static void run_big(const struct bench_setup *setup, struct bench_result *result)
{
    struct crowd crowd = { .pings = bench_scaled(setup, 20000, 1) };
    th_system *system = bench_system_start(setup);

    crowd.sink = bench_spawn(system, &sink_class, &crowd, 0);
    for (uint64_t i = 0; i < ACTORS; i++)
        crowd.actor[i] = bench_spawn(system, &talker_class, &crowd, i);
    result->ns = bench_play(system, &crowd.watch, crowd.sink);
    result->messages = 2 * ACTORS * crowd.pings;
    bench_system_stop(system, result);
    for (int i = 0; i < ACTORS; i++)
        BENCH_CHECK(crowd.answered[i] == crowd.pings);
}

const struct bench bench_big = { "big", "120 actors x 20k pings to random others = 4.8M messages",
                                 "message", run_big };
