/* publish.c: publications to a hundred subscribers, who in turn tell the publisher to go on. */
#include "registry.h"

#define SUBSCRIBERS 100
#define IN_FLIGHT   10 /* publications */

struct press {
    struct bench_watch watch;
    uint64_t publications;
};

struct publisher {
    struct bench_actor actor;
    th_addr topics;
    uint64_t subscribed;
    uint64_t sent;
    uint64_t heard;
};

/* Counts, and answers each hundredth: so none of them lags far behind. */
struct reader {
    struct bench_actor actor;
    uint64_t heard;
};

static th_err reader_receive(th_self *self, void *state, const th_msg *msg)
{
    struct reader *me = state;
    const struct th_publication *news = th_publication_of(msg);

    if (!news)
        return TH_OK;
    BENCH_CHECK(bench_ball_of(news->payload)->n == me->heard++);
    if (bench_ball_of(news->payload)->n % SUBSCRIBERS != me->actor.index)
        return TH_OK;
    return bench_ball_send(self, th_msg_sender(msg), *bench_ball_of(news->payload));
}

static const th_class reader_class = {
    .name = "reader",
    .state_size = sizeof(struct reader),
    .init = bench_actor_init,
    .receive = reader_receive,
};

static th_err publish(th_self *self, struct publisher *me)
{
    struct bench_ball *body;
    th_msg *payload = bench_ball_new(self, &body);

    if (payload)
        body->n = me->sent++;
    return th_publish(self, me->topics, "news/today", payload, 0);
}

static th_err begin(th_self *self, struct publisher *me)
{
    BENCH_MUST(th_topics_spawn(self, NULL, &me->topics));
    for (uint64_t i = 0; i < SUBSCRIBERS; i++) {
        th_addr reader;

        BENCH_MUST(
            th_spawn(self, &reader_class, bench_part_create(self, me->actor.shared, i), &reader));
        BENCH_MUST(th_subscribe_to(self, me->topics, "news/+", reader));
    }
    return TH_OK;
}

static th_err publisher_receive(th_self *self, void *state, const th_msg *msg)
{
    struct publisher *me = state;
    struct press *press = me->actor.shared;

    BENCH_CHECK(!th_poison_of(msg));
    if (bench_go_of(msg))
        return begin(self, me);
    if (th_subscribed_of(msg)) {
        BENCH_CHECK(th_subscribed_of(msg)->err == TH_OK);
        if (++me->subscribed < SUBSCRIBERS)
            return TH_OK;
        press->watch.start_ns = bench_now(); /* it begins when all have subscribed */
        while (me->sent < press->publications && me->sent < IN_FLIGHT)
            BENCH_MUST(publish(self, me));
        return TH_OK;
    }
    if (!bench_ball_of(msg))
        return TH_OK;
    if (++me->heard == press->publications)
        return bench_finish(self, &press->watch);
    return me->sent < press->publications ? publish(self, me) : TH_OK;
}

static const th_class publisher_class = {
    .name = "publisher",
    .state_size = sizeof(struct publisher),
    .init = bench_actor_init,
    .receive = publisher_receive,
};

static void run_publish(const struct bench_setup *setup, struct bench_result *result)
{
    struct press press = { .publications = bench_scaled(setup, 20000, 1) };
    th_system *system = bench_system_start(setup);

    bench_play(system, &press.watch, bench_spawn(system, &publisher_class, &press, 0));
    result->ns = press.watch.end_ns - press.watch.start_ns;
    result->messages = press.publications * SUBSCRIBERS;
    bench_system_stop(system, result);
}

const struct bench bench_publish = { "publish", "20k publications to 100 subscribers, 10 in flight",
                                     "delivery", run_publish };
