/* net.c: actor to actor between processes, over TCP on loopback.
 *
 * The far processes are forked before anything is started; each tells its address through a pipe,
 * and all end when the other end of a second one, their leash, is closed. net_raw.c measures what
 * the machine gives without us. */
#include "registry.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <thespis/transport.h>
#include <unistd.h>

#define BURST   64 /* messages a turn: so that a hold comes soon */
#define WRITERS 8
#define BIG     (16u * 1024 * 1024)

#define NET_LOAD_FIELDS(F, S) F(S, array, u64, words, 8)
TH_MESSAGE(net_load, NET_LOAD_FIELDS);
TH_MESSAGE_TYPE(net_load, NET_LOAD_FIELDS)

TH_SIGNAL(net_block); /* with a rest */
TH_SIGNAL_TYPE(net_block)

/* Sends @count messages to @to; the sum of @count over all is what the sink waits for. */
#define NET_ORDER_FIELDS(F, S) F(S, addr, to) F(S, u64, count)
TH_MESSAGE(net_order, NET_ORDER_FIELDS);
TH_MESSAGE_TYPE(net_order, NET_ORDER_FIELDS)

/* ---- actors ---- */

struct writer {
    th_addr to;
    uint64_t left;
    uint64_t n;
};

/* One-way: a burst, then whatever else there is for it, then the next. */
static th_err writer_receive(th_self *self, void *state, const th_msg *msg)
{
    struct writer *me = state;
    th_err err = TH_OK;

    if (net_order_of(msg)) {
        me->to = net_order_of(msg)->to;
        me->left = net_order_of(msg)->count;
    }
    for (int i = 0; i < BURST && me->left > 0 && !err; i++, me->left--)
        err = net_load_send(self, me->to, (struct net_load){ { me->n++ } });
    return err || me->left == 0 ? err
                                : bench_on_send(self, th_self_addr(self), (struct bench_on){ 0 });
}

static const th_class writer_class = { .name = "writer",
                                       .state_size = sizeof(struct writer),
                                       .receive = writer_receive };

struct reader {
    uint64_t expected;
    uint64_t got;
    th_addr client;
};

/* Tells who ordered when all have come. */
static th_err reader_receive(th_self *self, void *state, const th_msg *msg)
{
    struct reader *me = state;

    if (net_order_of(msg)) {
        me->client = net_order_of(msg)->to;
        me->expected = net_order_of(msg)->count;
        me->got = 0;
    } else if (!net_load_of(msg) && th_msg_type(msg) != &net_block_type) {
        return TH_OK;
    } else {
        me->got++;
    }
    return me->expected && me->got == me->expected
               ? bench_over_send(self, me->client, (struct bench_over){ 0 })
               : TH_OK;
}

static const th_class reader_class = { .name = "reader",
                                       .state_size = sizeof(struct reader),
                                       .receive = reader_receive };

static th_err echo_receive(th_self *self, void *state, const th_msg *msg)
{
    return net_load_of(msg) ? th_send(self, th_msg_sender(msg), th_msg_dup(self, msg)) : TH_OK;
}

static const th_class echo_class = { .name = "echo", .receive = echo_receive };

struct player {
    struct bench_actor actor;
    uint64_t left;
};

struct game {
    struct bench_watch watch;
    th_addr echo;
    uint64_t rounds;
};

static th_err player_receive(th_self *self, void *state, const th_msg *msg)
{
    struct player *me = state;
    struct game *game = me->actor.shared;

    if (bench_go_of(msg))
        me->left = game->rounds;
    else if (!net_load_of(msg))
        return TH_OK;
    else if (--me->left == 0)
        return bench_finish(self, &game->watch);
    return net_load_send(self, game->echo, (struct net_load){ { me->left } });
}

static const th_class player_class = { .name = "player",
                                       .state_size = sizeof(struct player),
                                       .init = bench_actor_init,
                                       .receive = player_receive };

/* ---- processes ---- */

struct far {
    pid_t pid;
    char address[64];
    th_addr admin;
};

static void talk(th_system *system, const char *const *listen)
{
    char why[TH_DETAILS_SIZE];

    BENCH_MUST(th_type_register(system, &net_load_type));
    BENCH_MUST(th_type_register(system, &net_order_type));
    BENCH_MUST(th_type_register(system, &net_block_type));
    BENCH_MUST(th_type_register(system, &bench_over_type));
    if (th_transport_start(system, &(th_transport_options){ .listen = listen }, why))
        bench_fail(__FILE__, __LINE__, "th_transport_start", why);
}

static void name_actor(th_system *system, const th_class *klass)
{
    th_spawn_options options = { .klass = klass, .global_name = klass->name };
    th_addr addr;

    BENCH_MUST(th_create(th_system_self(system), &options, TH_S(10), &addr, NULL));
}

/* The far process: whatever a benchmark may want there. */
static void serve(const struct bench_setup *setup, int out, int leash)
{
    static const char *const here[] = { "127.0.0.1:0", NULL };
    th_system *system = bench_system_start(setup);
    struct bench_result ignored;
    char address[64] = "", byte;

    talk(system, here);
    name_actor(system, &writer_class);
    name_actor(system, &reader_class);
    name_actor(system, &echo_class);
    th_transport_listens(system, 0, address, sizeof(address));
    BENCH_CHECK(write(out, address, sizeof(address)) == sizeof(address));
    while (read(leash, &byte, 1) > 0)
        continue;
    bench_system_stop(system, &ignored);
    _Exit(0);
}

static void far_start(struct far *far, const struct bench_setup *setup, const int leash[2])
{
    int told[2];

    BENCH_CHECK(pipe(told) == 0);
    far->pid = fork();
    BENCH_CHECK(far->pid >= 0);
    if (far->pid == 0) {
        close(told[0]);
        close(leash[1]);
        serve(setup, told[1], leash[0]);
    }
    close(told[1]);
    BENCH_CHECK(read(told[0], far->address, sizeof(far->address)) == sizeof(far->address));
    close(told[0]);
}

/* @count far processes; the end of the leash that holds them. */
static int fars_start(struct far *far, int count, const struct bench_setup *setup)
{
    int leash[2];

    BENCH_CHECK(pipe(leash) == 0);
    for (int i = 0; i < count; i++)
        far_start(&far[i], setup, leash);
    close(leash[0]);
    return leash[1];
}

static void fars_end(struct far *far, int count, int leash)
{
    int status;

    close(leash);
    for (int i = 0; i < count; i++) {
        BENCH_CHECK(waitpid(far[i].pid, &status, 0) == far[i].pid);
        BENCH_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void far_meet(struct far *far, th_system *system)
{
    char why[TH_DETAILS_SIZE];

    if (th_connect(th_system_self(system), far->address, TH_S(10), &far->admin, why))
        bench_fail(__FILE__, __LINE__, far->address, why);
}

static th_addr far_find(const struct far *far, th_system *system, const th_class *klass)
{
    th_self *self = th_system_self(system);
    struct th_whereis *question;
    th_msg *msg = th_whereis_new(self, &question);
    th_addr actor;

    BENCH_CHECK(msg && (question->name = th_blob_text(self, klass->name)));
    BENCH_MUST(th_ask(self, far->admin, msg, TH_S(10), &msg));
    actor = th_found_of(msg)->actor;
    th_msg_destroy(self, msg);
    BENCH_CHECK(!th_addr_is_none(actor));
    return actor;
}

static void hear_over(th_system *system)
{
    th_self *self = th_system_self(system);
    th_msg *msg;

    BENCH_MUST(th_listen(self, TH_S(250), &msg));
    BENCH_CHECK(bench_over_of(msg));
    th_msg_destroy(self, msg);
}

static void order(th_system *system, th_addr who, th_addr to, uint64_t count)
{
    BENCH_MUST(net_order_send(th_system_self(system), who,
                              (struct net_order){ .to = to, .count = count }));
}

/* ---- the benchmarks ---- */

static void run_throughput(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t count = bench_scaled(setup, 1000000, 1), start;
    struct far far;
    th_system *system;
    int leash;
    th_addr writer, reader;

    leash = fars_start(&far, 1, setup);
    system = bench_system_start(setup);
    talk(system, NULL);
    far_meet(&far, system);
    reader = far_find(&far, system, &reader_class);
    writer = bench_spawn(system, &writer_class, NULL, 0);
    start = bench_now();
    order(system, reader, th_self_addr(th_system_self(system)), count);
    order(system, writer, reader, count);
    hear_over(system);
    result->ns = bench_now() - start;
    result->messages = count;
    bench_system_stop(system, result);
    fars_end(&far, 1, leash);
}

static void run_net_pingpong(const struct bench_setup *setup, struct bench_result *result)
{
    struct game game = { .rounds = bench_scaled(setup, 50000, 1) };
    struct far far;
    th_system *system;
    int leash;
    th_addr player;

    leash = fars_start(&far, 1, setup);
    system = bench_system_start(setup);
    talk(system, NULL);
    far_meet(&far, system);
    game.echo = far_find(&far, system, &echo_class);
    player = bench_spawn(system, &player_class, &game, 0);
    result->ns = bench_play(system, &game.watch, player);
    result->messages = 2 * game.rounds;
    bench_figure_add(result, "round_trip_us", (double)result->ns / (double)game.rounds / 1000);
    bench_system_stop(system, result);
    fars_end(&far, 1, leash);
}

static void run_net_fanin(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t count = bench_scaled(setup, 100000, 1), start;
    struct far far[WRITERS];
    th_system *system;
    th_addr reader;
    int leash = fars_start(far, WRITERS, setup);

    system = bench_system_start(setup);
    talk(system, NULL);
    for (int i = 0; i < WRITERS; i++)
        far_meet(&far[i], system);
    reader = bench_spawn(system, &reader_class, NULL, 0);
    start = bench_now();
    order(system, reader, th_self_addr(th_system_self(system)), WRITERS * count);
    for (int i = 0; i < WRITERS; i++)
        order(system, far_find(&far[i], system, &writer_class), reader, count);
    hear_over(system);
    result->ns = bench_now() - start;
    result->messages = WRITERS * count;
    bench_system_stop(system, result);
    fars_end(far, WRITERS, leash);
}

static void run_net_big(const struct bench_setup *setup, struct bench_result *result)
{
    uint64_t count = bench_scaled(setup, 32, 1), start;
    struct far far;
    th_system *system;
    int leash;
    th_addr reader;

    leash = fars_start(&far, 1, setup);
    system = bench_system_start(setup);
    talk(system, NULL);
    far_meet(&far, system);
    reader = far_find(&far, system, &reader_class);
    start = bench_now();
    order(system, reader, th_self_addr(th_system_self(system)), count);
    for (uint64_t i = 0; i < count; i++) {
        th_msg *msg = th_msg_create_sized(th_system_self(system), &net_block_type, BIG);

        BENCH_CHECK(msg);
        memset(th_msg_rest(msg, NULL), (int)i, BIG);
        BENCH_MUST(th_send(th_system_self(system), reader, msg));
    }
    hear_over(system);
    result->ns = bench_now() - start;
    result->messages = count;
    bench_figure_add(result, "mb_per_s", (double)count * BIG / 1e6 / ((double)result->ns / 1e9));
    bench_system_stop(system, result);
    fars_end(&far, 1, leash);
}

const struct bench bench_net_throughput = { "net-throughput",
                                            "1M messages of 64 bytes, one way, two processes",
                                            "message", run_throughput };
const struct bench bench_net_pingpong = { "net-pingpong",
                                          "50k round trips of 64 bytes, two processes", "message",
                                          run_net_pingpong };
const struct bench bench_net_fanin = { "net-fanin",
                                       "8 processes send 100k messages of 64 bytes each to one",
                                       "message", run_net_fanin };
const struct bench bench_net_big = { "net-big", "32 messages of 16 MiB, one way, two processes",
                                     "message", run_net_big };
