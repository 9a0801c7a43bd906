/* pingpong.c: one ball between two actors, and between a thread and an actor. */
#include "registry.h"

struct game {
    struct bench_watch watch;
    uint64_t rounds;
    th_addr pong;
    uint64_t returned; /* written by pong */
};

struct ping {
    struct bench_actor actor;
    uint64_t done;
};

static th_err ping_receive(th_self *self, void *state, const th_msg *msg)
{
    struct ping *me = state;
    struct game *game = me->actor.shared;
    const struct bench_ball *ball = bench_ball_of(msg);

    if (ball) {
        BENCH_CHECK(ball->n == me->done);
        if (++me->done == game->rounds)
            return bench_finish(self, &game->watch);
    } else if (!bench_go_of(msg)) {
        return TH_OK;
    }
    return bench_ball_send(self, game->pong, (struct bench_ball){ .n = me->done });
}

static th_err pong_receive(th_self *self, void *state, const th_msg *msg)
{
    struct bench_actor *me = state;
    struct game *game = me->shared;
    const struct bench_ball *ball = bench_ball_of(msg);

    if (!ball)
        return TH_OK;
    game->returned++;
    return bench_ball_send(self, th_msg_sender(msg), *ball);
}

static const th_class ping_class = {
    .name = "ping",
    .state_size = sizeof(struct ping),
    .init = bench_actor_init,
    .receive = ping_receive,
};

static const th_class pong_class = {
    .name = "pong",
    .state_size = sizeof(struct bench_actor),
    .init = bench_actor_init,
    .receive = pong_receive,
};

static void run_pingpong(const struct bench_setup *setup, struct bench_result *result)
{
    struct game game = { .rounds = bench_scaled(setup, 1000000, 1) };
    th_system *system = bench_system_start(setup);
    th_addr ping = bench_spawn(system, &ping_class, &game, 0);

    game.pong = bench_spawn(system, &pong_class, &game, 1);
    result->ns = bench_play(system, &game.watch, ping);
    result->messages = 2 * game.rounds;
    bench_system_stop(system, result);
    BENCH_CHECK(game.returned == game.rounds);
}

static void run_ask(const struct bench_setup *setup, struct bench_result *result)
{
    struct game game = { .rounds = bench_scaled(setup, 100000, 1) };
    th_system *system = bench_system_start(setup);
    th_self *self = th_system_self(system);
    th_addr pong = bench_spawn(system, &pong_class, &game, 0);
    uint64_t start = bench_now();

    for (uint64_t i = 0; i < game.rounds; i++) {
        struct bench_ball *ball;
        th_msg *question = bench_ball_new(self, &ball);
        th_msg *answer = NULL;

        if (ball)
            ball->n = i;
        BENCH_MUST(th_ask(self, pong, question, TH_S(10), &answer));
        BENCH_CHECK(bench_ball_of(answer) && bench_ball_of(answer)->n == i);
        th_msg_destroy(self, answer);
    }
    result->ns = bench_now() - start;
    result->messages = 2 * game.rounds;
    bench_figure_add(result, "round_trip_ns", (double)result->ns / (double)game.rounds);
    bench_system_stop(system, result);
    BENCH_CHECK(game.returned == game.rounds);
}

const struct bench bench_pingpong = { "pingpong", "2 actors, 1M round trips = 2M messages",
                                      "message", run_pingpong };

const struct bench bench_ask = { "ask",
                                 "100k questions by a thread, answered by an actor = 200k messages",
                                 "message", run_ask };
