/* bystander.c: how long a conversation waits beside an actor whose handlers run 5 ms.
 *
 * Ping serves every 200 us, pong returns the ball; every wait from a send to its handler is a
 * sample, so is the lateness of the wakeup that makes ping serve. An unpaced ping-pong would
 * collect millions of samples between two stalls and hide them in its percentiles. */
#include "registry.h"

#define HANDLER_US  5000
#define SERVE_NS    TH_US(200)
#define SAMPLES_MAX 1000000

struct street {
    struct bench_watch watch;
    uint64_t handlers; /* how many the hog runs */
    uint64_t loops;
    th_addr hog, ping, pong;
    uint64_t *wait_ns; /* written by ping, pong's waits come back with the ball */
    uint64_t samples;
};

struct hog {
    struct bench_actor actor;
    uint64_t done;
};

static th_err hog_receive(th_self *self, void *state, const th_msg *msg)
{
    struct hog *me = state;
    struct street *street = me->actor.shared;

    if (!bench_on_of(msg))
        return TH_OK;
    bench_compute(street->loops);
    if (++me->done == street->handlers)
        return bench_over_send(self, street->ping, (struct bench_over){ 0 });
    return bench_on_send(self, th_self_addr(self), (struct bench_on){ 0 });
}

static th_err pong_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct bench_ball *ball = bench_ball_of(msg);
    uint64_t now = bench_now();

    if (!ball)
        return TH_OK;
    return bench_ball_send(self, th_msg_sender(msg),
                           (struct bench_ball){ .n = now, .who = now - ball->n });
}

static void sample(struct street *street, uint64_t wait_ns)
{
    if (street->samples < SAMPLES_MAX)
        street->wait_ns[street->samples++] = wait_ns;
}

struct ping {
    struct bench_actor actor;
    uint64_t due_ns;
    bool over; /* the hog is done: no more samples */
};

static th_err ping_receive(th_self *self, void *state, const th_msg *msg)
{
    struct ping *me = state;
    struct street *street = me->actor.shared;
    const struct bench_ball *ball = bench_ball_of(msg);
    uint64_t now = bench_now();

    if (bench_over_of(msg)) {
        me->over = true;
        return bench_finish(self, &street->watch);
    }
    if (me->over)
        return TH_OK;
    if (th_wakeup_of(msg)) {
        sample(street, now > me->due_ns ? now - me->due_ns : 0);
        return bench_ball_send(self, street->pong, (struct bench_ball){ .n = bench_now() });
    }
    if (ball) {
        sample(street, ball->who);
        sample(street, now - ball->n);
    } else if (bench_go_of(msg)) {
        BENCH_MUST(bench_on_send(self, street->hog, (struct bench_on){ 0 }));
    } else {
        return TH_OK;
    }
    me->due_ns = bench_now() + SERVE_NS;
    return th_wakeup_after(self, SERVE_NS, NULL, NULL);
}

static const th_class hog_class = {
    .name = "hog",
    .state_size = sizeof(struct hog),
    .init = bench_actor_init,
    .receive = hog_receive,
};

static const th_class pong_class = {
    .name = "pong",
    .state_size = sizeof(struct bench_actor),
    .init = bench_actor_init,
    .receive = pong_receive,
};

static const th_class ping_class = {
    .name = "ping",
    .state_size = sizeof(struct ping),
    .init = bench_actor_init,
    .receive = ping_receive,
};

static void run_bystander(const struct bench_setup *setup, struct bench_result *result)
{
    struct street street = { .handlers = bench_scaled(setup, 400, 10),
                             .loops = HANDLER_US * setup->loops_per_us };
    th_system *system = bench_system_start(setup);

    street.wait_ns = bench_array(system, SAMPLES_MAX, sizeof(uint64_t));
    street.hog = bench_spawn(system, &hog_class, &street, 0);
    street.pong = bench_spawn(system, &pong_class, &street, 0);
    street.ping = bench_spawn(system, &ping_class, &street, 0);
    result->ns = bench_play(system, &street.watch, street.ping);
    result->messages = street.samples;
    bench_percentiles_add(result, "wait_us", street.wait_ns, street.samples);
    bench_array_free(system, street.wait_ns, SAMPLES_MAX, sizeof(uint64_t));
    bench_system_stop(system, result);
}

const struct bench bench_bystander = { "bystander",
                                       "2 actors talk every 200 us beside 400 handlers of 5 ms",
                                       "wait", run_bystander };
