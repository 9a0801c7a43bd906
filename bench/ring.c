/* ring.c: one token around a ring of actors. */
#include "registry.h"

#define RING_MAX 503

struct ring {
    struct bench_watch watch;
    uint64_t size;
    uint64_t hops;
    th_addr member[RING_MAX];
    uint64_t last; /* who had the last hop */
};

static th_err member_receive(th_self *self, void *state, const th_msg *msg)
{
    struct bench_actor *me = state;
    struct ring *ring = me->shared;
    const struct bench_ball *ball = bench_ball_of(msg);
    uint64_t left = ball ? ball->n : ring->hops;

    if (!ball && !bench_go_of(msg))
        return TH_OK;
    if (left == 0) {
        ring->last = me->index;
        return bench_finish(self, &ring->watch);
    }
    return bench_ball_send(self, ring->member[(me->index + 1) % ring->size],
                           (struct bench_ball){ .n = left - 1 });
}

static const th_class member_class = {
    .name = "member",
    .state_size = sizeof(struct bench_actor),
    .init = bench_actor_init,
    .receive = member_receive,
};

static void run_ring_of(const struct bench_setup *setup, struct bench_result *result, uint64_t size)
{
    struct ring ring = { .size = size, .hops = bench_scaled(setup, 1000000, 1) };
    th_system *system = bench_system_start(setup);

    for (uint64_t i = 0; i < size; i++)
        ring.member[i] = bench_spawn(system, &member_class, &ring, i);
    result->ns = bench_play(system, &ring.watch, ring.member[0]);
    result->messages = ring.hops;
    bench_system_stop(system, result);
    BENCH_CHECK(ring.last == ring.hops % size);
}

static void run_ring(const struct bench_setup *setup, struct bench_result *result)
{
    run_ring_of(setup, result, 100);
}

static void run_ring503(const struct bench_setup *setup, struct bench_result *result)
{
    run_ring_of(setup, result, 503);
}

const struct bench bench_ring = { "ring", "100 actors, 1M hops of one token", "hop", run_ring };
const struct bench bench_ring503 = { "ring503", "503 actors, 1M hops of one token", "hop",
                                     run_ring503 };
