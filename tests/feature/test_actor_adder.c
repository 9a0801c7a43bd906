/* A quilt of actors that each add one: routes in the message, routes in the actors, trees of both,
 * and other traffic in between. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

enum { HOPS_MAX = 64, CHILDREN = 10 };

/* Adds one at each hop and goes to @asker after the last; the first to see it fills that in. A
 * @through sum is inside a ten-adder, which is also its last hop. */
#define SUM_FIELDS(F, S)                                                                           \
    F(S, i64, value)                                                                               \
    F(S, addr, asker) F(S, bool_, through) F(S, u32, hop_count) F(S, array, addr, hops, HOPS_MAX)
TH_MESSAGE(sum, SUM_FIELDS);
TH_MESSAGE_TYPE(sum, SUM_FIELDS)

#define CHILD_LIST_FIELDS(F, S) F(S, array, addr, child, CHILDREN)
TH_MESSAGE(child_list, CHILD_LIST_FIELDS);
TH_MESSAGE_TYPE(child_list, CHILD_LIST_FIELDS)

static th_err add_one_receive(th_self *self, void *state, const th_msg *msg)
{
    struct sum sum;

    if (!sum_of(msg))
        return TH_OK;
    sum = *sum_of(msg);
    if (th_addr_is_none(sum.asker))
        sum.asker = th_msg_sender(msg);
    sum.value++;
    if (sum.hop_count == 0)
        return sum_send(self, sum.asker, sum);
    sum.hop_count--;
    return sum_send(self, sum.hops[sum.hop_count], sum);
}

static const th_class add_one = { .name = "add_one", .receive = add_one_receive };

struct ten {
    th_addr child[CHILDREN];
    th_addr next; /* the next ten-adder, or none */
};

static th_err ten_init(th_self *self, void *state, const th_msg *arg)
{
    struct ten *ten = state;
    th_err err = TH_OK;

    for (int i = 0; i < CHILDREN && !err; i++)
        err = th_spawn(self, &add_one, NULL, &ten->child[i]);
    return err;
}

static th_err ten_receive(th_self *self, void *state, const th_msg *msg)
{
    struct ten *ten = state;
    struct child_list list;
    struct sum sum;

    if (talk_whom_of(msg)) {
        ten->next = talk_whom_of(msg)->addr;
        return TH_OK;
    }
    if (talk_is(msg, "children?")) {
        memcpy(list.child, ten->child, sizeof(list.child));
        return child_list_send(self, th_msg_sender(msg), list);
    }
    if (!sum_of(msg))
        return TH_OK;
    sum = *sum_of(msg);
    if (sum.through) { /* our ten have added theirs */
        sum.through = false;
        return sum_send(self, th_addr_is_none(ten->next) ? sum.asker : ten->next, sum);
    }
    if (th_addr_is_none(sum.asker))
        sum.asker = th_msg_sender(msg);
    sum.through = true;
    sum.hops[0] = th_self_addr(self);
    for (int i = 1; i < CHILDREN; i++)
        sum.hops[i] = ten->child[i];
    sum.hop_count = CHILDREN;
    return sum_send(self, ten->child[0], sum);
}

static const th_class add_ten = {
    .name = "add_ten", .state_size = sizeof(struct ten), .init = ten_init, .receive = ten_receive
};

/* ---- help ---- */

static int64_t ask_sum(th_self *me, th_addr to, const struct sum *question)
{
    struct sum *body;
    th_msg *msg = sum_new(me, &body), *answer = NULL;
    int64_t value;

    cr_assert_not_null(msg);
    *body = *question;
    must(th_ask(me, to, msg, TALK_PATIENCE, &answer));
    cr_assert_not_null(sum_of(answer));
    value = sum_of(answer)->value;
    th_msg_destroy(me, answer);
    return value;
}

/* Through @adders from @first on, each @step of them. */
static int64_t ask_chain(th_self *me, const th_addr *adders, int count, int first, int step)
{
    struct sum question = { 0 };
    int last = first + (count - 1 - first) / step * step;

    for (int i = last; i > first; i -= step)
        question.hops[question.hop_count++] = adders[i];
    return ask_sum(me, adders[first], &question);
}

static void create_many(th_self *me, const th_class *klass, th_addr *addrs, int count)
{
    for (int i = 0; i < count; i++)
        addrs[i] = talk_create(me, klass);
}

static void chain_tens(th_self *me, const th_addr *tens, int count)
{
    for (int i = 0; i + 1 < count; i++)
        must(talk_whom_send(me, tens[i], (struct talk_whom){ .addr = tens[i + 1] }));
    /* a ten-adder that answers has heard who is next */
    for (int i = 0; i < count; i++)
        th_msg_destroy(me, talk_ask(me, tens[i], "children?"));
}

static void stop_all(th_self *me, const th_addr *addrs, int count)
{
    for (int i = 0; i < count; i++)
        must(th_stop(me, addrs[i]));
    for (int i = 0; i < count; i++)
        talk_expect_gone(me, addrs[i], "gone?");
}

BOTH_BASES(actor_adder, ready)
{
    cr_assert_eq(ask_sum(ts->me, talk_create(ts->me, &add_one), &(struct sum){ .value = 41 }), 42);
}

BOTH_BASES(actor_adder, ten_every)
{
    th_addr adders[10];

    create_many(ts->me, &add_one, adders, 10);
    cr_assert_eq(ask_chain(ts->me, adders, 10, 0, 1), 10);
    cr_assert_eq(ask_chain(ts->me, adders, 10, 0, 1), 10);
}

BOTH_BASES(actor_adder, ten_evens)
{
    th_addr adders[10];

    create_many(ts->me, &add_one, adders, 10);
    cr_assert_eq(ask_chain(ts->me, adders, 10, 0, 1), 10);
    cr_assert_eq(ask_chain(ts->me, adders, 10, 0, 2), 5);
    cr_assert_eq(ask_chain(ts->me, adders, 10, 1, 2), 5);
    cr_assert_eq(ask_chain(ts->me, adders, 10, 4, 2), 3);
}

BOTH_BASES(actor_adder, lots_of_actors_every)
{
    th_addr adders[HOPS_MAX];

    create_many(ts->me, &add_one, adders, HOPS_MAX);
    cr_assert_eq(ask_chain(ts->me, adders, HOPS_MAX, 0, 1), HOPS_MAX);
    cr_assert_eq(ask_chain(ts->me, adders, HOPS_MAX, 0, 1), HOPS_MAX);
    stop_all(ts->me, adders, HOPS_MAX);
}

BOTH_BASES(actor_adder, lots_of_actors_every_ten)
{
    th_addr tens[5];

    create_many(ts->me, &add_ten, tens, 5);
    chain_tens(ts->me, tens, 5);
    cr_assert_eq(ask_sum(ts->me, tens[0], &(struct sum){ 0 }), 50);
    cr_assert_eq(ask_sum(ts->me, tens[0], &(struct sum){ 0 }), 50);
    stop_all(ts->me, tens, 5);
}

BOTH_BASES(actor_adder, unique_addresses)
{
    th_addr ten = talk_create(ts->me, &add_ten);
    th_msg *answer = talk_ask(ts->me, ten, "children?");
    const struct child_list *list = child_list_of(answer);

    cr_assert_not_null(list);
    for (int i = 0; i < CHILDREN; i++) {
        cr_assert(!th_addr_is_none(list->child[i]));
        cr_assert(!th_addr_equal(list->child[i], ten));
        for (int j = 0; j < i; j++)
            cr_assert(!th_addr_equal(list->child[i], list->child[j]));
    }
    th_msg_destroy(ts->me, answer);
}

BOTH_BASES(actor_adder, ten_every_ten)
{
    cr_assert_eq(ask_sum(ts->me, talk_create(ts->me, &add_ten), &(struct sum){ 0 }), 10);
}

BOTH_BASES(actor_adder, lots_of_actors_every_ten_with_background)
{
    enum { TENS = 25, BACKGROUND = 1000 };
    th_addr tens[TENS], drop = talk_create(ts->me, &talk_counter);

    create_many(ts->me, &add_ten, tens, TENS);
    chain_tens(ts->me, tens, TENS);
    for (int i = 0; i < BACKGROUND; i++)
        must(sum_send(ts->me, tens[(i * 7) % TENS], (struct sum){ .asker = drop }));
    cr_assert_eq(ask_sum(ts->me, tens[0], &(struct sum){ 0 }), TENS * 10);
    talk_wait_for(ts->me, drop, BACKGROUND);
    cr_assert_eq(talk_ask_number(ts->me, drop, "count?"), BACKGROUND);
    stop_all(ts->me, tens, TENS);
}
