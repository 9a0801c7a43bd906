/* counting.c: producers that send as fast as they can to one consumer: counting 1 to 1, fan-in 8
 * to 1.
 *
 * No runtime can slow a sender down in the middle of a handler. Our idiom is a producer that sends
 * BURST and then tells itself to go on, so that others get their turn; the -burst variants send
 * everything from one handler and show what a queue of millions costs. */
#include "registry.h"

#define BURST         100
#define PRODUCERS_MAX 8

struct race {
    struct bench_watch watch;
    uint64_t each;  /* messages a producer */
    uint64_t burst; /* messages a handler call */
    uint64_t producers;
    bool is_bounded; /* the consumer's mailbox: it holds its senders */
    th_addr consumer;
    th_addr producer[PRODUCERS_MAX];
    uint64_t seen[PRODUCERS_MAX]; /* written by the consumer */
};

struct producer {
    struct bench_actor actor;
    uint64_t sent;
};

static th_err produce(th_self *self, void *state, const th_msg *msg)
{
    struct producer *me = state;
    struct race *race = me->actor.shared;

    if (!bench_on_of(msg))
        return TH_OK;
    for (uint64_t i = 0; i < race->burst && me->sent < race->each; i++) {
        struct bench_ball ball = { .n = me->sent++, .who = me->actor.index };

        BENCH_MUST(bench_ball_send(self, race->consumer, ball));
    }
    if (me->sent == race->each)
        return TH_OK;
    return bench_on_send(self, th_self_addr(self), (struct bench_on){ 0 });
}

struct consumer {
    struct bench_actor actor;
    uint64_t left;
};

static th_err consume(th_self *self, void *state, const th_msg *msg)
{
    struct consumer *me = state;
    struct race *race = me->actor.shared;
    const struct bench_ball *ball = bench_ball_of(msg);

    if (ball) {
        BENCH_CHECK(ball->n == race->seen[ball->who]); /* in sending order, none lost */
        race->seen[ball->who]++;
        return --me->left ? TH_OK : bench_finish(self, &race->watch);
    }
    if (!bench_go_of(msg))
        return TH_OK;
    me->left = race->each * race->producers;
    for (uint64_t i = 0; i < race->producers; i++)
        BENCH_MUST(bench_on_send(self, race->producer[i], (struct bench_on){ 0 }));
    return TH_OK;
}

static const th_class producer_class = {
    .name = "producer",
    .state_size = sizeof(struct producer),
    .init = bench_actor_init,
    .receive = produce,
};

static const th_class consumer_class = {
    .name = "consumer",
    .state_size = sizeof(struct consumer),
    .init = bench_actor_init,
    .receive = consume,
};

static const th_class bounded_class = {
    .name = "consumer",
    .state_size = sizeof(struct consumer),
    .init = bench_actor_init,
    .receive = consume,
    .mailbox = { .limit = 1000, .when_full = TH_WHEN_FULL_HOLD },
};

static void run_race(const struct bench_setup *setup, struct bench_result *result, struct race race)
{
    th_system *system = bench_system_start(setup);

    race.consumer =
        bench_spawn(system, race.is_bounded ? &bounded_class : &consumer_class, &race, 0);
    for (uint64_t i = 0; i < race.producers; i++)
        race.producer[i] = bench_spawn(system, &producer_class, &race, i);
    result->ns = bench_play(system, &race.watch, race.consumer);
    result->messages = race.each * race.producers;
    bench_system_stop(system, result);
    for (uint64_t i = 0; i < race.producers; i++)
        BENCH_CHECK(race.seen[i] == race.each);
}

static void run_counting(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t each = bench_scaled(setup, 10000000, 1);

    run_race(setup, result, (struct race){ .each = each, .burst = BURST, .producers = 1 });
}

static void run_bounded(const struct bench_setup *setup, struct bench_result *result)
{
    run_race(setup, result,
             (struct race){ .each = bench_scaled(setup, 10000000, 1),
                            .burst = BURST,
                            .producers = 1,
                            .is_bounded = true });
}

static void run_counting_burst(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t each = bench_scaled(setup, 10000000, 1);

    run_race(setup, result, (struct race){ .each = each, .burst = each, .producers = 1 });
}

static void run_fanin(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t each = bench_scaled(setup, 1000000, 1);

    run_race(setup, result, (struct race){ .each = each, .burst = BURST, .producers = 8 });
}

static void run_fanin_burst(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t each = bench_scaled(setup, 1000000, 1);

    run_race(setup, result, (struct race){ .each = each, .burst = each, .producers = 8 });
}

const struct bench bench_counting = { "counting", "10M messages 1 to 1, 100 a handler call",
                                      "message", run_counting };
const struct bench bench_bounded = { "bounded",
                                     "10M messages 1 to 1, 100 a handler call, at most 1000 wait",
                                     "message", run_bounded };
const struct bench bench_counting_burst = { "counting-burst",
                                            "10M messages 1 to 1, all from one handler call",
                                            "message", run_counting_burst };
const struct bench bench_fanin = { "fanin", "8 x 1M messages to 1, 100 a handler call", "message",
                                   run_fanin };
const struct bench bench_fanin_burst = { "fanin-burst",
                                         "8 x 1M messages to 1, each 1M from one handler call",
                                         "message", run_fanin_burst };
