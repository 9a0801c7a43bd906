/* Actors are created by class or by the name of a class, from outside and by other actors. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

/* Have a bar say @word to @asker. */
#define ORDER_FIELDS(F, S) F(S, addr, asker) F(S, i64, word)
TH_MESSAGE(order, ORDER_FIELDS);
TH_MESSAGE_TYPE(order, ORDER_FIELDS)

/* A barn hands out a bar that has been told nothing yet. */
#define BAR_FOR_FIELDS(F, S) F(S, addr, bar) F(S, addr, asker) F(S, i64, word)
TH_MESSAGE(bar_for, BAR_FOR_FIELDS);
TH_MESSAGE_TYPE(bar_for, BAR_FOR_FIELDS)

/* Have the cow get @count bars from its barn. */
#define HERD_FIELDS(F, S) F(S, i64, count)
TH_MESSAGE(herd, HERD_FIELDS);
TH_MESSAGE_TYPE(herd, HERD_FIELDS)

static th_err bar_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct order *order = order_of(msg);

    if (order)
        return talk_count(self, order->asker, order->word);
    return talk_is(msg, "hello") ? talk_say(self, th_msg_sender(msg), "SAW: hello") : TH_OK;
}

static const th_class bar_class = { .name = "farm.create.Bar", .receive = bar_receive };

static th_err barn_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct order *order = order_of(msg);
    th_addr bar;
    th_err err;

    if (!order)
        return TH_OK;
    err = th_spawn(self, &bar_class, NULL, &bar);
    if (err)
        return err;
    return bar_for_send(self, th_msg_sender(msg),
                        (struct bar_for){ .bar = bar, .asker = order->asker, .word = order->word });
}

static const th_class barn_class = { .name = "farm.create.Barn", .receive = barn_receive };

struct cow {
    th_addr barn;
};

/* One bar for one word, by its name; it exits when it has said it. */
static th_err cow_orders(th_self *self, th_addr asker, int64_t word)
{
    th_addr bar;
    th_err err = th_spawn_with(self, &(th_spawn_options){ .class_name = "farm.create.Bar" }, &bar);

    if (!err)
        err = order_send(self, bar, (struct order){ .asker = asker, .word = word });
    return err ? err : th_stop(self, bar);
}

static th_err cow_herds(th_self *self, struct cow *cow, th_addr asker, int64_t count)
{
    th_err err = TH_OK;

    if (th_addr_is_none(cow->barn))
        err = th_spawn(self, &barn_class, NULL, &cow->barn);
    for (int64_t i = 0; i < count && !err; i++)
        err = order_send(self, cow->barn, (struct order){ .asker = asker, .word = i });
    return err;
}

static th_err cow_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct bar_for *bar = bar_for_of(msg);

    if (talk_number_of(msg))
        return cow_orders(self, th_msg_sender(msg), talk_number_of(msg)->value);
    if (herd_of(msg))
        return cow_herds(self, state, th_msg_sender(msg), herd_of(msg)->count);
    if (bar)
        return order_send(self, bar->bar, (struct order){ .asker = bar->asker, .word = bar->word });
    return talk_is(msg, "you") ? talk_say(self, th_msg_sender(msg), "MOO: you") : TH_OK;
}

static const th_class cow_class = { .name = "farm.create.Cow",
                                    .state_size = sizeof(struct cow),
                                    .receive = cow_receive };

/* ---- a house of several floors ---- */

static th_err lower_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_is(msg, "pin drop") ? talk_say(self, th_msg_sender(msg), "Heard: pin drop")
           : talk_is(msg, "soundtrack")
               ? talk_say(self, th_msg_sender(msg), "And Heard: soundtrack")
               : TH_OK;
}

static const th_class lower_floor = { .name = "house.sub1.sub2.lower.LowerFloor",
                                      .receive = lower_receive };

static th_err upper_receive(th_self *self, void *state, const th_msg *msg)
{
    th_addr below;
    th_err err;

    if (talk_is(msg, "picture show"))
        return talk_say(self, th_msg_sender(msg), "Viewed: picture show");
    if (!talk_is(msg, "soundtrack"))
        return TH_OK;
    err = th_spawn_with(
        self, &(th_spawn_options){ .class_name = "house.sub1.sub2.lower.LowerFloor" }, &below);
    return err ? err : th_forward(self, below, msg);
}

static const th_class upper_floor = { .name = "house.sub1.upper.UpperFloor",
                                      .receive = upper_receive };

/* ---- help ---- */

static th_addr create_by_name(th_self *me, const char *name)
{
    th_addr addr;
    char why[TH_DETAILS_SIZE];

    must(th_create(me, &(th_spawn_options){ .class_name = name }, TALK_PATIENCE, &addr, why));
    return addr;
}

static void expect_no_class(th_self *me, const char *name)
{
    th_addr addr = { 1, 2, 3 };

    must_be(th_create(me, &(th_spawn_options){ .class_name = name }, TALK_PATIENCE, &addr, NULL),
            TH_E_NO_CLASS);
    must_be(th_spawn_with(me, &(th_spawn_options){ .class_name = name }, &addr), TH_E_NO_CLASS);
}

/* Each of the numbers below @count exactly once, in any order. */
static void hear_each(th_self *me, int64_t count)
{
    bool heard[1024] = { false };

    cr_assert_leq(count, 1024);
    for (int64_t i = 0; i < count; i++) {
        th_msg *msg = NULL;
        int64_t value;

        must(th_listen(me, TALK_PATIENCE, &msg));
        cr_assert_not_null(talk_number_of(msg));
        value = talk_number_of(msg)->value;
        cr_assert(value >= 0 && value < count);
        cr_assert(!heard[value], "%lld came twice", (long long)value);
        heard[value] = true;
        th_msg_destroy(me, msg);
    }
}

BOTH_BASES(create_actor, systems_run)
{
    cr_assert_neq(th_system_id(ts->sys), 0);
}

BOTH_BASES(create_actor, an_unknown_name_is_no_class)
{
    expect_no_class(ts->me, "foo.FooActor");
}

BOTH_BASES(create_actor, by_class)
{
    talk_expect(ts->me, talk_create(ts->me, &bar_class), "hello", "SAW: hello");
}

BOTH_BASES(create_actor, half_a_name_is_no_class)
{
    must(th_class_register(ts->sys, &bar_class));
    expect_no_class(ts->me, "Bar");
    expect_no_class(ts->me, "farm.create");
    expect_no_class(ts->me, "farm.create.Ba");
    expect_no_class(ts->me, "farm.create.Bars");
    expect_no_class(ts->me, "");
}

BOTH_BASES(create_actor, an_actor_creates_by_name)
{
    th_msg *msg = NULL;
    th_addr cow;

    must(th_class_register(ts->sys, &bar_class));
    cow = talk_create(ts->me, &cow_class);
    talk_expect(ts->me, cow, "you", "MOO: you");
    must(talk_count(ts->me, cow, 99));
    must(th_listen(ts->me, TALK_PATIENCE, &msg));
    cr_assert_not_null(talk_number_of(msg));
    cr_assert_eq(talk_number_of(msg)->value, 99);
    th_msg_destroy(ts->me, msg);
}

BOTH_BASES(create_actor, by_full_name)
{
    must(th_class_register(ts->sys, &bar_class));
    talk_expect(ts->me, create_by_name(ts->me, "farm.create.Bar"), "hello", "SAW: hello");
}

BOTH_BASES(create_actor, by_the_name_of_a_lower_floor)
{
    must(th_class_register(ts->sys, &lower_floor));
    talk_expect(ts->me, create_by_name(ts->me, "house.sub1.sub2.lower.LowerFloor"), "pin drop",
                "Heard: pin drop");
}

BOTH_BASES(create_actor, a_sub_actor_by_name)
{
    th_addr upper;

    must(th_class_register(ts->sys, &lower_floor));
    must(th_class_register(ts->sys, &upper_floor));
    upper = create_by_name(ts->me, "house.sub1.upper.UpperFloor");
    talk_expect(ts->me, upper, "picture show", "Viewed: picture show");
    talk_expect(ts->me, upper, "soundtrack", "And Heard: soundtrack");
}

BOTH_BASES(create_actor, by_another_actor)
{
    th_addr cow = talk_create(ts->me, &cow_class);

    must(herd_send(ts->me, cow, (struct herd){ .count = 4 }));
    hear_each(ts->me, 4);
}

BOTH_BASES(create_actor, many_sub_actors_by_name)
{
    th_addr cow;

    must(th_class_register(ts->sys, &bar_class));
    cow = talk_create(ts->me, &cow_class);
    for (int i = 0; i < 1000; i++)
        must(talk_count(ts->me, cow, i));
    hear_each(ts->me, 1000);
}

BOTH_BASES(create_actor, lots_by_another_actor)
{
    th_addr cow = talk_create(ts->me, &cow_class);

    must(herd_send(ts->me, cow, (struct herd){ .count = 1000 }));
    hear_each(ts->me, 1000);
}

BOTH_BASES(create_actor, a_name_belongs_to_one_class)
{
    const th_class impostor = { .name = "farm.create.Bar" };

    must(th_class_register(ts->sys, &bar_class));
    must(th_class_register(ts->sys, &bar_class));
    must_be(th_class_register(ts->sys, &impostor), TH_E_EXISTS);
    talk_expect(ts->me, create_by_name(ts->me, "farm.create.Bar"), "hello", "SAW: hello");
}

/* The creator hears why at once; nobody hears of an actor that never was. */
static th_err broken_init(th_self *self, void *state, const th_msg *arg)
{
    return th_fail(self, TH_E_PARSE, "no such %s", arg ? talk_word_of(arg)->text : "argument");
}

static const th_class broken = { .name = "broken", .init = broken_init };

BOTH_BASES(create_actor, a_failed_init_reaches_its_creator)
{
    th_spawn_options options = { .klass = &broken };
    char why[TH_DETAILS_SIZE] = "";
    th_addr addr = th_addr_none();

    must_be(th_create(ts->me, &options, TALK_PATIENCE, &addr, why), TH_E_INIT);
    cr_assert_str_eq(why, "no such argument");
    options.arg = talk_word(ts->me, "bell");
    must_be(th_create(ts->me, &options, TALK_PATIENCE, &addr, why), TH_E_INIT);
    cr_assert_str_eq(why, "no such bell");
    must_be(th_create(ts->me, &(th_spawn_options){ .klass = &broken }, TALK_PATIENCE, &addr, NULL),
            TH_E_INIT);
    talk_hear_nothing(ts->me);
}
