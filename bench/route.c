/* route.c: messages through a router by key over eight; each answers the one who asked. */
#include "registry.h"

#define ROUTEES   8
#define IN_FLIGHT 1000

struct depot {
    struct bench_watch watch;
    uint64_t parcels;
    uint64_t sum; /* of the answers */
};

struct sender {
    struct bench_actor actor;
    th_addr router;
    uint64_t sent;
    uint64_t answered;
};

static th_err keeper_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct bench_ball *parcel = bench_ball_of(msg);

    if (!parcel)
        return TH_OK;
    return bench_ball_send(self, th_msg_sender(msg), *parcel);
}

static const th_class keeper_class = { .name = "keeper", .receive = keeper_receive };

static th_err post(th_self *self, struct sender *me)
{
    return bench_ball_send(self, me->router, (struct bench_ball){ .n = me->sent++ });
}

static th_err begin(th_self *self, struct sender *me, const struct depot *depot)
{
    const th_router_options options = {
        .routing = TH_ROUTE_BY_KEY, .klass = &keeper_class, .children = ROUTEES, .key_field = "n"
    };

    BENCH_MUST(th_router_spawn(self, &options, &me->router));
    while (me->sent < depot->parcels && me->sent < IN_FLIGHT)
        BENCH_MUST(post(self, me));
    return TH_OK;
}

static th_err sender_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sender *me = state;
    struct depot *depot = me->actor.shared;
    const struct bench_ball *answer = bench_ball_of(msg);

    BENCH_CHECK(!th_poison_of(msg));
    if (bench_go_of(msg))
        return begin(self, me, depot);
    if (!answer)
        return TH_OK;
    depot->sum += answer->n;
    if (++me->answered == depot->parcels)
        return bench_finish(self, &depot->watch);
    return me->sent < depot->parcels ? post(self, me) : TH_OK;
}

static const th_class sender_class = {
    .name = "sender",
    .state_size = sizeof(struct sender),
    .init = bench_actor_init,
    .receive = sender_receive,
};

static void run_route(const struct bench_setup *setup, struct bench_result *result)
{
    struct depot depot = { .parcels = bench_scaled(setup, 1000000, 1) };
    th_system *system = bench_system_start(setup);

    result->ns = bench_play(system, &depot.watch, bench_spawn(system, &sender_class, &depot, 0));
    result->messages = depot.parcels;
    bench_system_stop(system, result);
    BENCH_CHECK(depot.sum == depot.parcels * (depot.parcels - 1) / 2);
}

const struct bench bench_route = { "route", "1M parcels by key over 8 routees, 1000 in flight",
                                   "parcel", run_route };
