/* A child that fails on the first thing it hears, again and again, does not stop its parent. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

/* Without a limit of its own a parent would go on for ever, which is its right; this one stops. */
enum { CHILDREN_MAX = 10 };

static th_err child_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_is(msg, "Hello") ? th_fail(self, TH_E_FAILED, "I am Grumpy!") : TH_OK;
}

static const th_class grumpy = { .name = "grumpy", .receive = child_receive };
static const th_class grumpy_and_gone = { .name = "grumpy_and_gone",
                                          .receive = child_receive,
                                          .on_failure = TH_ON_FAILURE_STOP };

struct parent {
    int64_t children;
    int64_t poisons;
    int64_t exits;
    struct talk_waiter waiter; /* for poisons and exits together */
};

static th_err make_child(th_self *self, struct parent *parent, const th_class *klass)
{
    th_addr child;
    th_err err;

    if (parent->children == CHILDREN_MAX)
        return TH_OK;
    parent->children++;
    err = th_spawn(self, klass, NULL, &child);
    return err ? err : talk_say(self, child, "Hello");
}

static th_err parent_receive(th_self *self, void *state, const th_msg *msg)
{
    struct parent *parent = state;
    th_err err;

    if (talk_is(msg, "make child"))
        return make_child(self, parent, &grumpy);
    if (talk_is(msg, "make mortal child"))
        return make_child(self, parent, &grumpy_and_gone);
    if (talk_is(msg, "Hello"))
        return talk_say(self, th_msg_sender(msg), "Hi");
    if (talk_is(msg, "children?"))
        return talk_count(self, th_msg_sender(msg), parent->children);
    if (talk_number_of(msg))
        return talk_waiter_set(self, &parent->waiter, msg, parent->poisons + parent->exits);
    if (th_poison_of(msg))
        parent->poisons++;
    if (th_child_exited_of(msg)) {
        parent->exits++;
        err = make_child(self, parent, &grumpy_and_gone);
        if (err)
            return err;
    }
    return talk_waiter_check(self, &parent->waiter, parent->poisons + parent->exits);
}

static const th_class parent_class = { .name = "parent",
                                       .state_size = sizeof(struct parent),
                                       .receive = parent_receive };

BOTH_BASES(bad_startup_message, fail_on_startup_message)
{
    th_addr parent = talk_create(ts->me, &parent_class);

    talk_expect(ts->me, parent, "Hello", "Hi");
    must(talk_say(ts->me, parent, "make child"));
    talk_expect(ts->me, parent, "Hello", "Hi");
    talk_wait_for(ts->me, parent, 1);
    cr_assert_eq(talk_ask_number(ts->me, parent, "children?"), 1);
}

/* The loop: each death makes another child with the same message. The parent answers throughout,
 * and hears of each death once and of each failed message once. */
BOTH_BASES(bad_startup_message, a_restart_loop_leaves_its_parent_alive)
{
    th_addr parent = talk_create(ts->me, &parent_class);

    must(talk_say(ts->me, parent, "make mortal child"));
    for (int i = 0; i < 20; i++)
        talk_expect(ts->me, parent, "Hello", "Hi");
    talk_wait_for(ts->me, parent, 2 * CHILDREN_MAX);
    cr_assert_eq(talk_ask_number(ts->me, parent, "children?"), CHILDREN_MAX);
    talk_expect(ts->me, parent, "Hello", "Hi");
}
