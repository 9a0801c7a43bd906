/* work.c: handlers that compute, so that a second worker should pay: work (many actors), pairs
 * (two conversations), and what a conversation suffers beside long handlers (bystander). */
#include "registry.h"

/* ---- work: 64 tokens among 64 actors, 2 us of computation a message ---- */

#define ACTORS 64

struct shop {
    struct bench_watch watch;
    uint64_t hops;  /* of each token */
    uint64_t loops; /* of computation */
    th_addr actor[ACTORS];
    th_addr sink;
    uint64_t handled[ACTORS]; /* each written by one actor */
};

struct smith {
    struct bench_actor actor;
    uint64_t seed;
};

static th_err smith_receive(th_self *self, void *state, const th_msg *msg)
{
    struct smith *me = state;
    struct shop *shop = me->actor.shared;
    const struct bench_ball *token = bench_ball_of(msg);

    if (!token)
        return TH_OK;
    if (me->seed == 0)
        me->seed = (me->actor.index + 1) * 0x9e3779b97f4a7c15u;
    bench_compute(shop->loops);
    shop->handled[me->actor.index]++;
    if (token->n == 1)
        return bench_over_send(self, shop->sink, (struct bench_over){ 0 });
    return bench_ball_send(self, shop->actor[bench_random(&me->seed) % ACTORS],
                           (struct bench_ball){ .n = token->n - 1 });
}

struct sink {
    struct bench_actor actor;
    uint64_t done;
};

static th_err shop_sink_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sink *me = state;
    struct shop *shop = me->actor.shared;

    if (bench_over_of(msg))
        return ++me->done < ACTORS ? TH_OK : bench_finish(self, &shop->watch);
    if (bench_go_of(msg)) {
        for (int i = 0; i < ACTORS; i++)
            BENCH_MUST(
                bench_ball_send(self, shop->actor[i], (struct bench_ball){ .n = shop->hops }));
    }
    return TH_OK;
}

static const th_class smith_class = {
    .name = "smith",
    .state_size = sizeof(struct smith),
    .init = bench_actor_init,
    .receive = smith_receive,
};

static const th_class shop_sink_class = {
    .name = "shop sink",
    .state_size = sizeof(struct sink),
    .init = bench_actor_init,
    .receive = shop_sink_receive,
};

static void run_work(const struct bench_setup *setup, struct bench_result *result)
{
    struct shop shop = { .hops = bench_scaled(setup, 4000, 1), .loops = 2 * setup->loops_per_us };
    th_system *system = bench_system_start(setup);
    uint64_t handled = 0;

    shop.sink = bench_spawn(system, &shop_sink_class, &shop, 0);
    for (uint64_t i = 0; i < ACTORS; i++)
        shop.actor[i] = bench_spawn(system, &smith_class, &shop, i);
    result->ns = bench_play(system, &shop.watch, shop.sink);
    result->messages = ACTORS * shop.hops;
    bench_system_stop(system, result);
    for (int i = 0; i < ACTORS; i++)
        handled += shop.handled[i];
    BENCH_CHECK(handled == ACTORS * shop.hops);
}

/* ---- pairs: two conversations, 20 us of computation a message ---- */

struct tables {
    struct bench_watch watch;
    uint64_t messages; /* of each conversation */
    uint64_t loops;
    th_addr seat[4]; /* 0 talks to 1, 2 talks to 3 */
    th_addr sink;
};

static th_err guest_receive(th_self *self, void *state, const th_msg *msg)
{
    struct bench_actor *me = state;
    struct tables *tables = me->shared;
    const struct bench_ball *word = bench_ball_of(msg);

    if (!word)
        return TH_OK;
    bench_compute(tables->loops);
    if (word->n == 1)
        return bench_over_send(self, tables->sink, (struct bench_over){ 0 });
    return bench_ball_send(self, tables->seat[me->index ^ 1],
                           (struct bench_ball){ .n = word->n - 1 });
}

static th_err tables_sink_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sink *me = state;
    struct tables *tables = me->actor.shared;

    if (bench_over_of(msg))
        return ++me->done < 2 ? TH_OK : bench_finish(self, &tables->watch);
    if (bench_go_of(msg)) {
        struct bench_ball word = { .n = tables->messages };

        BENCH_MUST(bench_ball_send(self, tables->seat[0], word));
        BENCH_MUST(bench_ball_send(self, tables->seat[2], word));
    }
    return TH_OK;
}

static const th_class guest_class = {
    .name = "guest",
    .state_size = sizeof(struct bench_actor),
    .init = bench_actor_init,
    .receive = guest_receive,
};

static const th_class tables_sink_class = {
    .name = "tables sink",
    .state_size = sizeof(struct sink),
    .init = bench_actor_init,
    .receive = tables_sink_receive,
};

static void run_pairs(const struct bench_setup *setup, struct bench_result *result)
{
    struct tables tables = { .messages = bench_scaled(setup, 10000, 1),
                             .loops = 20 * setup->loops_per_us };
    th_system *system = bench_system_start(setup);

    tables.sink = bench_spawn(system, &tables_sink_class, &tables, 0);
    for (uint64_t i = 0; i < 4; i++)
        tables.seat[i] = bench_spawn(system, &guest_class, &tables, i);
    result->ns = bench_play(system, &tables.watch, tables.sink);
    result->messages = 2 * tables.messages;
    bench_system_stop(system, result);
}

const struct bench bench_work = {
    "work", "64 actors, 64 tokens to random actors, 2 us a message, 256k messages", "message",
    run_work
};
const struct bench bench_pairs = { "pairs", "2 conversations, 20 us a message, 20k messages",
                                   "message", run_pairs };
