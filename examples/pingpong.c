/* pingpong.c: two actors keep a ball in the air.
 *
 * Shows actors with state, a spawn argument, and a parent that hears when its child has exited:
 *     pingpong [ROUNDS] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <thespis/thespis.h>

#define BALL_FIELDS(F, S) F(S, u64, left)
TH_MESSAGE(ball, BALL_FIELDS);
TH_MESSAGE_TYPE(ball, BALL_FIELDS)

/* ---- pong returns every ball to whoever sent it, until the last ---- */

struct pong {
    uint64_t returned; /* state is zeroed before init; without an init it simply starts at zero */
};

static th_err pong_receive(th_self *self, void *state, const th_msg *msg)
{
    struct pong *me = state;
    const struct ball *ball = ball_of(msg);

    if (!ball)
        return TH_OK;
    me->returned++;
    if (ball->left == 0) {
        printf("pong: %" PRIu64 " balls returned, that was the last\n", me->returned);
        return th_exit(self);
    }
    return ball_send(self, th_msg_sender(msg), (struct ball){ ball->left - 1 });
}

static const th_class pong_class = {
    .name = "pong",
    .state_size = sizeof(struct pong),
    .receive = pong_receive,
};

/* ---- ping spawns pong and serves; its argument says how many rounds ---- */

struct ping {
    th_addr pong;
    uint64_t rounds;
};

static th_err ping_init(th_self *self, void *state, const th_msg *arg)
{
    struct ping *me = state;

    me->rounds = ball_of(arg)->left;
    return th_spawn(self, &pong_class, NULL, &me->pong);
}

static th_err ping_receive(th_self *self, void *state, const th_msg *msg)
{
    struct ping *me = state;
    const struct ball *ball = ball_of(msg);
    const struct th_child_exited *exited = th_child_exited_of(msg);

    if (exited) { /* exactly once for each child, whatever it ended of */
        printf("ping: pong is gone: %s\n", th_exit_reason_text(exited->reason));
        return th_request_shutdown(self);
    }
    if (!ball)
        return TH_OK;
    return ball_send(self, me->pong, *ball);
}

static const th_class ping_class = {
    .name = "ping",
    .state_size = sizeof(struct ping),
    .init = ping_init,
    .receive = ping_receive,
};

int main(int argc, char **argv)
{
    uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
    th_system *system = th_system_create(NULL);
    th_self *self;
    th_addr ping;
    struct ball *arg;
    th_msg *arg_msg;

    if (th_system_start(system) != TH_OK)
        return 1;
    self = th_system_self(system);
    arg_msg = ball_new(self, &arg);
    if (arg)
        arg->left = rounds;
    if (th_spawn(self, &ping_class, arg_msg, &ping) != TH_OK ||
        ball_send(self, ping, (struct ball){ rounds }) != TH_OK ||
        th_system_wait(system, TH_S(60)) != TH_OK)
        return 1;
    return th_system_shutdown(system, TH_S(5), NULL, NULL) || th_system_destroy(system);
}
