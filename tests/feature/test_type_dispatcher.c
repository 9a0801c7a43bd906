/* Three classes, each extending the one before, and what each does with seven kinds of message: a
 * scenario of Thespian's, and what it leaves out. */
#include "tests/support/system.h"
#include "tests/support/talk.h"

TH_SIGNAL(first);
TH_SIGNAL_TYPE(first)
TH_SIGNAL(second); /* is a first, too */
TH_SIGNAL_TYPE_AS(second, 0, &first_type)
TH_SIGNAL(third);
TH_SIGNAL_TYPE(third)
TH_SIGNAL(strange_third);
TH_SIGNAL_TYPE_AS(strange_third, 0, &third_type)
TH_SIGNAL(stranger);
TH_SIGNAL_TYPE(stranger)

/* ---- bottom ---- */

static th_err bottom_word(th_self *self, void *state, const th_msg *msg)
{
    return talk_say(self, th_msg_sender(msg), "bottom got a word");
}

static th_err bottom_first(th_self *self, void *state, const th_msg *msg)
{
    return talk_say(self, th_msg_sender(msg), "bottom got first");
}

static const th_case bottom_cases[] = { { &talk_word_type, bottom_word },
                                        { &first_type, bottom_first },
                                        { NULL, NULL } };

static const th_class bottom_class = { .name = "bottom", .cases = bottom_cases };

/* ---- middle ---- */

static th_err middle_second(th_self *self, void *state, const th_msg *msg)
{
    th_err err = talk_say(self, th_msg_sender(msg), "middle got second");

    return err ? err : TH_SUPER;
}

static th_err middle_third(th_self *self, void *state, const th_msg *msg)
{
    return talk_say(self, th_msg_sender(msg), "middle got third");
}

static th_err middle_rest(th_self *self, void *state, const th_msg *msg)
{
    return talk_say(self, th_msg_sender(msg), th_type_name(th_msg_type(msg)));
}

static const th_case middle_cases[] = { { &second_type, middle_second },
                                        { &third_type, middle_third },
                                        { NULL, middle_rest } };

static const th_class middle_class = { .name = "middle",
                                       .base = &bottom_class,
                                       .cases = middle_cases };

/* ---- top ---- */

static th_err top_third(th_self *self, void *state, const th_msg *msg)
{
    th_err err = talk_say(self, th_msg_sender(msg), "top got third");

    return err ? err : TH_SUPER;
}

static th_err top_second(th_self *self, void *state, const th_msg *msg)
{
    return talk_say(self, th_msg_sender(msg), "top got second");
}

static th_err top_word(th_self *self, void *state, const th_msg *msg)
{
    return talk_say(self, th_msg_sender(msg), talk_word_of(msg)->text);
}

static th_err top_number(th_self *self, void *state, const th_msg *msg)
{
    return talk_count(self, th_msg_sender(msg), 2 * talk_number_of(msg)->value);
}

static const th_case top_cases[] = {
    { &third_type, top_third },
    { &second_type, top_second },
    { &talk_word_type, top_word },
    { &talk_number_type, top_number },
    { NULL, NULL },
};

static const th_class top_class = { .name = "top", .base = &middle_class, .cases = top_cases };

/* ---- the 21 ---- */

/* @msg to an actor of @klass, which answers @one and then @two, each unless NULL, and no more. */
static void check(struct test_system *ts, const th_class *klass, th_msg *msg, const char *one,
                  const char *two)
{
    th_addr actor = talk_create(ts->me, klass);

    cr_assert_not_null(msg);
    must(th_send(ts->me, actor, msg));
    if (one)
        talk_hear(ts->me, one);
    if (two)
        talk_hear(ts->me, two);
    talk_hear_nothing(ts->me);
}

static th_msg *number(th_self *me, int64_t value)
{
    struct talk_number *body;
    th_msg *msg = talk_number_new(me, &body);

    cr_assert_not_null(msg);
    body->value = value;
    return msg;
}

#define SCENARIO(name, klass, msg, one, two)                                                       \
    BOTH_BASES(type_dispatcher, name)                                                              \
    {                                                                                              \
        check(ts, &klass, msg, one, two);                                                          \
    }

SCENARIO(bottom_word, bottom_class, talk_word(ts->me, "there?"), "bottom got a word", NULL)
SCENARIO(bottom_number, bottom_class, number(ts->me, 9), NULL, NULL)
SCENARIO(bottom_first, bottom_class, first_new(ts->me, NULL), "bottom got first", NULL)
SCENARIO(bottom_second, bottom_class, second_new(ts->me, NULL), "bottom got first", NULL)
SCENARIO(bottom_third, bottom_class, third_new(ts->me, NULL), NULL, NULL)
SCENARIO(bottom_strange_third, bottom_class, strange_third_new(ts->me, NULL), NULL, NULL)
SCENARIO(bottom_stranger, bottom_class, stranger_new(ts->me, NULL), NULL, NULL)

SCENARIO(middle_word, middle_class, talk_word(ts->me, "there?"), "bottom got a word", NULL)
SCENARIO(middle_number, middle_class, number(ts->me, 9), "talk_number", NULL)
SCENARIO(middle_first, middle_class, first_new(ts->me, NULL), "bottom got first", NULL)
SCENARIO(middle_second, middle_class, second_new(ts->me, NULL), "middle got second",
         "bottom got first")
SCENARIO(middle_third, middle_class, third_new(ts->me, NULL), "middle got third", NULL)
SCENARIO(middle_strange_third, middle_class, strange_third_new(ts->me, NULL), "middle got third",
         NULL)
SCENARIO(middle_stranger, middle_class, stranger_new(ts->me, NULL), "stranger", NULL)

SCENARIO(top_word, top_class, talk_word(ts->me, "there?"), "there?", NULL)
SCENARIO(top_first, top_class, first_new(ts->me, NULL), "bottom got first", NULL)
SCENARIO(top_second, top_class, second_new(ts->me, NULL), "top got second", NULL)
SCENARIO(top_third, top_class, third_new(ts->me, NULL), "top got third", "middle got third")
SCENARIO(top_strange_third, top_class, strange_third_new(ts->me, NULL), "top got third",
         "middle got third")
SCENARIO(top_stranger, top_class, stranger_new(ts->me, NULL), "stranger", NULL)

BOTH_BASES(type_dispatcher, top_number)
{
    th_addr actor = talk_create(ts->me, &top_class);
    th_msg *answer = NULL;

    must(th_ask(ts->me, actor, number(ts->me, 9), TALK_PATIENCE, &answer));
    cr_assert_not_null(talk_number_of(answer));
    cr_assert_eq(talk_number_of(answer)->value, 18);
    th_msg_destroy(ts->me, answer);
}

/* ---- and more ---- */

static th_err pass_on(th_self *self, void *state, const th_msg *msg)
{
    return TH_SUPER;
}

static const th_case passing_cases[] = { { &stranger_type, pass_on }, { NULL, pass_on } };
static const th_class passing_class = { .name = "passing", .cases = passing_cases };
static const th_class over_middle_class = { .name = "over middle",
                                            .base = &middle_class,
                                            .cases = passing_cases };

BOTH_BASES(type_dispatcher, what_all_pass_on_is_ignored_and_no_failure)
{
    check(ts, &passing_class, stranger_new(ts->me, NULL), NULL, NULL);
    check(ts, &over_middle_class, stranger_new(ts->me, NULL), "stranger", NULL);
    cr_assert_eq(talk_counts(ts->sys).failed, 0);
}

/* a receive of its own, which leaves the rest to the tables */
static th_err choosy_receive(th_self *self, void *state, const th_msg *msg)
{
    if (talk_is(msg, "mine"))
        return talk_say(self, th_msg_sender(msg), "choosy got it");
    return th_dispatch_class(self, &top_class, state, msg);
}

static const th_class choosy_class = { .name = "choosy",
                                       .base = &top_class,
                                       .receive = choosy_receive };
static const th_case polite_cases[] = { { &talk_number_type, bottom_word }, { NULL, NULL } };
static const th_class polite_class = { .name = "polite",
                                       .base = &choosy_class,
                                       .cases = polite_cases };

BOTH_BASES(type_dispatcher, a_receive_of_its_own_comes_first_and_may_go_on)
{
    check(ts, &choosy_class, talk_word(ts->me, "mine"), "choosy got it", NULL);
    check(ts, &choosy_class, talk_word(ts->me, "yours"), "yours", NULL);
    check(ts, &choosy_class, third_new(ts->me, NULL), "top got third", "middle got third");
}

static const th_case greedy_cases[] = { { &first_type, bottom_first }, { NULL, NULL } };
static th_err greedy_receive(th_self *self, void *state, const th_msg *msg)
{
    return talk_say(self, th_msg_sender(msg), "greedy takes it");
}
static const th_class greedy_class = { .name = "greedy", .receive = greedy_receive };
static const th_class thrifty_class = { .name = "thrifty",
                                        .base = &greedy_class,
                                        .cases = greedy_cases };

BOTH_BASES(type_dispatcher, a_bases_receive_takes_what_the_tables_leave)
{
    check(ts, &thrifty_class, second_new(ts->me, NULL), "bottom got first", NULL);
    check(ts, &thrifty_class, stranger_new(ts->me, NULL), "greedy takes it", NULL);
    /* but a row of any class in between comes before it */
    check(ts, &polite_class, number(ts->me, 1), "bottom got a word", NULL);
}

BOTH_BASES(type_dispatcher, the_systems_messages_have_types_too)
{
    static const th_case cases[] = { { &th_poison_type, bottom_word }, { NULL, NULL } };
    static const th_class klass = { .name = "poisoned", .cases = cases };
    th_addr actor = talk_create(ts->me, &klass);

    must(th_stop(ts->me, actor)); /* no row: ignored, and the exit takes place */
    talk_expect_gone(ts->me, actor, "there?");
}

/* ---- what else is inherited ---- */

struct animal {
    char sound[TALK_TEXT_SIZE];
    th_addr owner;
};

struct dog {
    struct animal animal;
    int64_t bones;
};

static th_err animal_init(th_self *self, void *state, const th_msg *arg)
{
    struct animal *animal = state;

    if (!arg)
        return TH_E_INVALID;
    memcpy(animal->sound, "woof", 5);
    animal->owner = talk_whom_of(arg)->addr;
    return TH_OK;
}

static void animal_exit(th_self *self, void *state)
{
    struct animal *animal = state;

    (void)!talk_say(self, animal->owner, "farewell");
}

static th_err animal_word(th_self *self, void *state, const th_msg *msg)
{
    struct animal *animal = state;

    return talk_say(self, th_msg_sender(msg), animal->sound);
}

static th_err dog_number(th_self *self, void *state, const th_msg *msg)
{
    struct dog *dog = state;

    dog->bones += talk_number_of(msg)->value;
    return talk_count(self, th_msg_sender(msg), dog->bones);
}

static const th_case animal_cases[] = { { &talk_word_type, animal_word }, { NULL, NULL } };
static const th_class animal_class = { .name = "animal",
                                       .state_size = sizeof(struct animal),
                                       .init = animal_init,
                                       .exit = animal_exit,
                                       .cases = animal_cases };
static const th_case dog_cases[] = { { &talk_number_type, dog_number }, { NULL, NULL } };
static const th_class dog_class = {
    .name = "dog", .state_size = sizeof(struct dog), .base = &animal_class, .cases = dog_cases
};

BOTH_BASES(type_dispatcher, state_init_and_exit_are_inherited)
{
    struct talk_whom *body;
    th_msg *arg = talk_whom_new(ts->me, &body), *answer = NULL;
    th_addr dog;

    body->addr = th_self_addr(ts->me);
    must(th_spawn(ts->me, &dog_class, arg, &dog));
    talk_expect(ts->me, dog, "speak", "woof");
    must(th_ask(ts->me, dog, number(ts->me, 3), TALK_PATIENCE, &answer));
    cr_assert_eq(talk_number_of(answer)->value, 3);
    th_msg_destroy(ts->me, answer);
    must(th_stop(ts->me, dog));
    talk_hear(ts->me, "farewell");
}

BOTH_BASES(type_dispatcher, a_family_that_cannot_be_is_refused)
{
    static const th_class small = { .name = "small", .state_size = 8, .base = &dog_class };
    static th_class circle = { .name = "circle" };
    th_addr addr;

    circle.base = &circle;
    must_be(th_spawn(ts->me, &small, talk_word(ts->me, "argument"), &addr), TH_E_INVALID);
    must_be(th_spawn(ts->me, &circle, NULL, &addr), TH_E_INVALID);
    must_be(th_class_register(ts->sys, &circle), TH_E_INVALID);
    must_be(th_troupe_spawn(ts->me, &small, NULL, NULL, &addr), TH_E_INVALID);
}

/* ---- in a troupe ---- */

BOTH_BASES(type_dispatcher, works_in_a_troupe)
{
    th_addr troupe;

    must(th_troupe_spawn(ts->me, &top_class, NULL, NULL, &troupe));
    must(th_send(ts->me, troupe, third_new(ts->me, NULL)));
    talk_hear(ts->me, "top got third");
    talk_hear(ts->me, "middle got third");
    talk_expect(ts->me, troupe, "there?", "there?");
    must(th_send(ts->me, troupe, second_new(ts->me, NULL)));
    talk_hear(ts->me, "top got second");
}
