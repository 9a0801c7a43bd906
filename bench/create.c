/* create.c: what an actor's life costs, and how much memory an idle one takes. */
#include "registry.h"

#include <stdatomic.h>

#define ALIVE_MAX 1000 /* of create */
#define BURST     100  /* spawns or sends a handler call */

/* ---- the child: one message, then it exits ---- */

static th_err child_receive(th_self *self, void *state, const th_msg *msg)
{
    return bench_ball_of(msg) ? th_exit(self) : TH_OK;
}

static const th_class child_class = { .name = "child", .receive = child_receive };

/* ---- create: at most ALIVE_MAX at a time, each told at once ---- */

struct nursery {
    struct bench_watch watch;
    uint64_t children;
    uint64_t exited; /* written by the parent */
    th_addr *child;  /* of create-alive: everybody's address */
};

struct parent {
    struct bench_actor actor;
    uint64_t spawned;
    uint64_t told;
};

static void spawn_and_tell(th_self *self, struct parent *me)
{
    th_addr child;

    BENCH_MUST(th_spawn(self, &child_class, NULL, &child));
    BENCH_MUST(bench_ball_send(self, child, (struct bench_ball){ .n = me->spawned }));
    me->spawned++;
}

static th_err parent_receive(th_self *self, void *state, const th_msg *msg)
{
    struct parent *me = state;
    struct nursery *nursery = me->actor.shared;
    const struct th_child_exited *exited = th_child_exited_of(msg);

    if (bench_go_of(msg)) {
        while (me->spawned < ALIVE_MAX && me->spawned < nursery->children)
            spawn_and_tell(self, me);
    } else if (exited) {
        BENCH_CHECK(exited->reason == TH_EXIT_NORMAL);
        if (me->spawned < nursery->children)
            spawn_and_tell(self, me);
        if (++nursery->exited == nursery->children)
            return bench_finish(self, &nursery->watch);
    }
    return TH_OK;
}

static const th_class parent_class = {
    .name = "parent",
    .state_size = sizeof(struct parent),
    .init = bench_actor_init,
    .receive = parent_receive,
};

/* ---- create-alive: all of them first, then one message to each ---- */

static th_err crowd_receive(th_self *self, void *state, const th_msg *msg)
{
    struct parent *me = state;
    struct nursery *nursery = me->actor.shared;

    if (th_child_exited_of(msg)) {
        BENCH_CHECK(me->spawned == nursery->children);
        if (++nursery->exited == nursery->children)
            return bench_finish(self, &nursery->watch);
        return TH_OK;
    }
    if (!bench_go_of(msg) && !bench_on_of(msg))
        return TH_OK;
    for (int i = 0; i < BURST && me->spawned < nursery->children; i++)
        BENCH_MUST(th_spawn(self, &child_class, NULL, &nursery->child[me->spawned++]));
    if (me->spawned == nursery->children) {
        for (int i = 0; i < BURST && me->told < nursery->children; i++)
            BENCH_MUST(bench_ball_send(self, nursery->child[me->told++], (struct bench_ball){ 0 }));
    }
    if (me->told == nursery->children)
        return TH_OK;
    return bench_on_send(self, th_self_addr(self), (struct bench_on){ 0 });
}

static const th_class crowd_class = {
    .name = "crowd",
    .state_size = sizeof(struct parent),
    .init = bench_actor_init,
    .receive = crowd_receive,
};

static void run_nursery(const struct bench_setup *setup, struct bench_result *result,
                        const th_class *parent_klass)
{
    struct nursery nursery = { .children = bench_scaled(setup, 1000000, 1) };
    th_system *system = bench_system_start(setup);
    th_addr parent;

    nursery.child = bench_array(system, nursery.children, sizeof(th_addr));
    parent = bench_spawn(system, parent_klass, &nursery, 0);
    result->ns = bench_play(system, &nursery.watch, parent);
    result->messages = nursery.children;
    bench_array_free(system, nursery.child, nursery.children, sizeof(th_addr));
    bench_system_stop(system, result);
    BENCH_CHECK(nursery.exited == nursery.children);
}

static void run_create(const struct bench_setup *setup, struct bench_result *result)
{
    run_nursery(setup, result, &parent_class);
}

static void run_create_alive(const struct bench_setup *setup, struct bench_result *result)
{
    run_nursery(setup, result, &crowd_class);
}

/* ---- idle: 1M initialised actors that wait ---- */

/* The class carries the counter, since an argument for each child would be kept with it and
 * weighed. */
struct idler_kind {
    th_class klass;
    _Atomic uint64_t *initialised;
};

struct hall {
    struct bench_watch watch;
    uint64_t idlers;
    struct idler_kind kind;
    _Atomic uint64_t initialised;
};

static th_err idler_init(th_self *self, void *state, const th_msg *arg)
{
    const struct idler_kind *kind = (const struct idler_kind *)th_self_class(self);

    /* relaxed: a count, read after the shutdown or polled by the host */
    atomic_fetch_add_explicit(kind->initialised, 1, memory_order_relaxed);
    return TH_OK;
}

static th_err host_receive(th_self *self, void *state, const th_msg *msg)
{
    struct parent *me = state;
    struct hall *hall = me->actor.shared;

    if (!bench_go_of(msg) && !bench_on_of(msg))
        return TH_OK;
    for (int i = 0; i < BURST && me->spawned < hall->idlers; i++, me->spawned++) {
        th_addr idler;

        BENCH_MUST(th_spawn(self, &hall->kind.klass, NULL, &idler));
    }
    if (me->spawned == hall->idlers &&
        atomic_load_explicit(&hall->initialised, memory_order_relaxed) == hall->idlers)
        return bench_finish(self, &hall->watch);
    return bench_on_send(self, th_self_addr(self), (struct bench_on){ 0 });
}

static const th_class host_class = {
    .name = "host",
    .state_size = sizeof(struct parent),
    .init = bench_actor_init,
    .receive = host_receive,
};

static void run_idle(const struct bench_setup *setup, struct bench_result *result)
{
    struct hall hall = {
        .idlers = bench_scaled(setup, 1000000, 1),
        .kind = { .klass = { .name = "idler", .init = idler_init } },
    };
    th_system *system = bench_system_start(setup);
    th_addr host = bench_spawn(system, &host_class, &hall, 0);
    uint64_t rss_before = bench_rss_bytes(), rss_after, stop;

    hall.kind.initialised = &hall.initialised;
    result->ns = bench_play(system, &hall.watch, host);
    result->messages = hall.idlers;
    rss_after = bench_rss_bytes();
    bench_figure_add(result, "bytes_per_actor",
                     (double)(rss_after - rss_before) / (double)hall.idlers);
    stop = bench_now();
    bench_system_stop(system, result);
    bench_figure_add(result, "stop_ns_per_actor",
                     (double)(bench_now() - stop) / (double)hall.idlers);
}

const struct bench bench_create = { "create", "1M actors, 1 message each, at most 1000 alive",
                                    "actor", run_create };
const struct bench bench_create_alive = { "create-alive",
                                          "1M actors alive at once, then 1 message each", "actor",
                                          run_create_alive };
const struct bench bench_idle = { "idle", "1M initialised actors that wait", "actor", run_idle };
