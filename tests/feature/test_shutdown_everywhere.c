/* A shutdown at every step of a busy life: after each number of turns, with whatever is under way
 * then, everybody exits, every message has its fate, and no memory is left. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

enum { CHILDREN = 2, DEPTH = 3, STEPS = 300 };

struct tree {
    th_addr child[CHILDREN];
};

static th_err answered(th_self *self, void *state, const th_msg *answer, th_err err, uint64_t token)
{
    return TH_OK;
}

static const th_class tree_class;

/* As deep as @arg says. */
static th_err tree_init(th_self *self, void *state, const th_msg *arg)
{
    struct tree *tree = state;
    int64_t depth = talk_number_of(arg)->value;

    for (int i = 0; depth > 0 && i < CHILDREN; i++) {
        struct talk_number *body;
        th_msg *below = talk_number_new(self, &body);
        th_err err;

        if (!below)
            return TH_E_NOMEM;
        body->value = depth - 1;
        err = th_spawn(self, &tree_class, below, &tree->child[i]);
        if (err)
            return err;
    }
    return th_wakeup_every(self, TH_MS(1), talk_word(self, "tick"), NULL);
}

/* Passes a number down and asks about it; some fail, some stop the one they came to. */
static th_err tree_receive(th_self *self, void *state, const th_msg *msg)
{
    struct tree *tree = state;
    int64_t value = talk_number_of(msg) ? talk_number_of(msg)->value : 0;
    th_err err = TH_OK;

    if (value <= 0)
        return TH_OK;
    if (value % 7 == 0)
        return th_fail(self, TH_E_FAILED, "seven");
    for (int i = 0; i < CHILDREN && !err && !th_addr_is_none(tree->child[i]); i++) {
        err = talk_count(self, tree->child[i], value - 1);
        if (!err)
            err =
                th_ask_then(self, tree->child[i], talk_word(self, "well?"), TH_MS(2), answered, 0);
    }
    if (!err)
        err = th_wakeup_after(self, TH_US(value), NULL, NULL);
    return err ? err : value == 11 ? th_exit(self) : TH_OK;
}

static void tree_exit(th_self *self, void *state)
{
    (void)talk_say(self, th_self_parent(self), "farewell");
}

static const th_class tree_class = { .name = "tree",
                                     .state_size = sizeof(struct tree),
                                     .init = tree_init,
                                     .receive = tree_receive,
                                     .exit = tree_exit };

static th_addr plant(th_self *me, int64_t depth)
{
    struct talk_number *body;
    th_spawn_options options = { .klass = &tree_class };
    th_addr root;

    options.arg = talk_number_new(me, &body);
    cr_assert_not_null(options.arg);
    body->value = depth;
    must(th_spawn_with(me, &options, &root));
    return root;
}

/* How many messages were handled by then. */
static uint64_t live_and_shut_down(uint64_t seed, uint32_t steps)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, seed);
    th_addr root = plant(ts.me, DEPTH);
    uint64_t handled;
    bool ran = true;

    for (int64_t i = 17; i >= 12; i--) /* at 12 the children leave */
        must(talk_count(ts.me, root, i));
    for (uint32_t i = 0; i < steps; i++) {
        must(th_step(ts.sys, &ran));
        if (!ran || i % 16 == 15)
            must(th_advance(ts.sys, TH_US(100))); /* ticks, and questions that time out */
    }
    handled = talk_counts(ts.sys).handled;
    must(th_system_shutdown(ts.sys, TALK_PATIENCE, NULL, NULL));
    test_system_close(&ts); /* books, threads, memory */
    return handled;
}

static void shut_down_at_every_step(uint64_t seed)
{
    uint64_t first = live_and_shut_down(seed, 0), last = 0;

    for (uint32_t steps = 1; steps <= STEPS; steps++)
        last = live_and_shut_down(seed, steps);
    cr_assert_gt(last, first + STEPS / 4, "a life of %llu messages",
                 (unsigned long long)(last - first));
}

Test(shutdown_everywhere, first_come_first_served, .timeout = 100)
{
    shut_down_at_every_step(0);
}

Test(shutdown_everywhere, in_an_order_of_chance, .timeout = 100)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        shut_down_at_every_step(seed);
}

/* An actor of the system asks for it, at every step. */
Test(shutdown_everywhere, asked_for_from_inside, .timeout = 100)
{
    for (uint32_t steps = 0; steps < 100; steps++) {
        struct test_system ts = test_system_open(TH_BASE_SIMPLE, 1 + steps % 3);
        th_addr root = plant(ts.me, DEPTH), addr;
        bool ran = true;

        must(talk_count(ts.me, root, 13));
        for (uint32_t i = 0; i < steps && ran; i++)
            must(th_step(ts.sys, &ran));
        must(th_request_shutdown(ts.me));
        must(th_system_wait(ts.sys, TALK_PATIENCE));
        must_be(th_spawn(ts.me, &talk_echo, NULL, &addr), TH_E_CLOSED);
        must(th_system_shutdown(ts.sys, TALK_PATIENCE, NULL, NULL));
        test_system_close(&ts);
    }
}

/* And on the pool, where nobody knows at which step it is. */
Test(shutdown_everywhere, on_the_pool, .timeout = 100)
{
    for (int round = 0; round < 200; round++) {
        struct test_system ts = test_system_open(TH_BASE_POOL, 0);
        th_addr root = plant(ts.me, DEPTH);

        for (int i = 0; i < round % 20; i++)
            must(talk_count(ts.me, root, 9 + i));
        must(th_system_shutdown(ts.sys, TALK_PATIENCE, NULL, NULL));
        test_system_close(&ts);
    }
}
