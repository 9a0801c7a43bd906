/* chameneos.c: creatures that ask the mall for a partner; the mall pairs two and tells each about
 * the other, four messages a meeting. */
#include "registry.h"

#define CREATURES 100

struct mall {
    struct bench_watch watch;
    uint64_t meetings;
    th_addr creature[CREATURES];
    th_addr mall;
    uint64_t met[CREATURES]; /* each written by one creature */
};

struct keeper {
    struct bench_actor actor;
    uint64_t meetings;
    th_addr first; /* who waits for a partner, or none */
    struct bench_ball first_colour;
    uint64_t closed; /* creatures that heard the end */
};

static th_err pair_up(th_self *self, struct keeper *me, const th_msg *msg)
{
    const struct bench_ball *colour = bench_ball_of(msg);
    struct mall *mall = me->actor.shared;

    if (me->meetings == mall->meetings) {
        BENCH_MUST(bench_over_send(self, th_msg_sender(msg), (struct bench_over){ 0 }));
        return ++me->closed < CREATURES ? TH_OK : bench_finish(self, &mall->watch);
    }
    if (th_addr_is_none(me->first)) {
        me->first = th_msg_sender(msg);
        me->first_colour = *colour;
        return TH_OK;
    }
    BENCH_MUST(bench_ball_send(self, me->first, *colour));
    BENCH_MUST(bench_ball_send(self, th_msg_sender(msg), me->first_colour));
    me->first = th_addr_none();
    me->meetings++;
    return TH_OK;
}

static th_err keeper_receive(th_self *self, void *state, const th_msg *msg)
{
    struct keeper *me = state;
    struct mall *mall = me->actor.shared;

    if (bench_ball_of(msg))
        return pair_up(self, me, msg);
    if (bench_go_of(msg)) {
        for (int i = 0; i < CREATURES; i++)
            BENCH_MUST(bench_go_send(self, mall->creature[i], (struct bench_go){ 0 }));
    }
    return TH_OK;
}

struct creature {
    struct bench_actor actor;
    uint64_t colour;
};

static th_err creature_receive(th_self *self, void *state, const th_msg *msg)
{
    struct creature *me = state;
    struct mall *mall = me->actor.shared;
    const struct bench_ball *other = bench_ball_of(msg);

    if (bench_go_of(msg)) {
        me->colour = me->actor.index % 3;
    } else if (other) {
        /* two of one colour stay, two different ones both take the third */
        me->colour = me->colour == other->n ? me->colour : 3 - me->colour - other->n;
        mall->met[me->actor.index]++;
    } else {
        return TH_OK; /* the mall has closed */
    }
    return bench_ball_send(self, mall->mall,
                           (struct bench_ball){ .n = me->colour, .who = me->actor.index });
}

static const th_class keeper_class = {
    .name = "mall",
    .state_size = sizeof(struct keeper),
    .init = bench_actor_init,
    .receive = keeper_receive,
};

static const th_class creature_class = {
    .name = "creature",
    .state_size = sizeof(struct creature),
    .init = bench_actor_init,
    .receive = creature_receive,
};

static void run_chameneos(const struct bench_setup *setup, struct bench_result *result)
{
    struct mall mall = { .meetings = bench_scaled(setup, 1000000, 1) };
    th_system *system = bench_system_start(setup);
    uint64_t met = 0;

    mall.mall = bench_spawn(system, &keeper_class, &mall, 0);
    for (uint64_t i = 0; i < CREATURES; i++)
        mall.creature[i] = bench_spawn(system, &creature_class, &mall, i);
    result->ns = bench_play(system, &mall.watch, mall.mall);
    result->messages = 4 * mall.meetings;
    bench_system_stop(system, result);
    for (int i = 0; i < CREATURES; i++)
        met += mall.met[i];
    BENCH_CHECK(met == 2 * mall.meetings);
}

const struct bench bench_chameneos = { "chameneos", "100 creatures, 1M meetings of 4 messages",
                                       "message", run_chameneos };
