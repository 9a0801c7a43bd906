/* Actors live where they find what they need, and only as long.
 *
 * Past 500 lines: the actors of each colour are needed by all of it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/system.h"
#include "tests/support/talk.h"

/* ---- the colours: actors that need one ---- */

/* "hello": answers "Got: hello". "set X", "remove X": changes the capability, answers "ok" or the
 * error's name. "sub X": makes a child of that colour and answers "made" or the error's name.
 * "gone?": answers the reason of the last child's exit as a number, or -1. "count": answers how
 * many descendants it has, asking them. */
struct actor {
    int64_t last_reason;
    int64_t children;
};

static const th_class red_class, green_class, blue_class, orange_class;

static const th_class *class_of(const char *colour)
{
    return strcmp(colour, "Red") == 0     ? &red_class
           : strcmp(colour, "Green") == 0 ? &green_class
           : strcmp(colour, "Blue") == 0  ? &blue_class
                                          : &orange_class;
}

static th_err answer(th_self *self, const th_msg *msg, th_err err, const char *text)
{
    return talk_say(self, th_msg_sender(msg), err ? th_err_name(err) : text);
}

static th_err init(th_self *self, void *state, const th_msg *arg)
{
    ((struct actor *)state)->last_reason = -1;
    return TH_OK;
}

static th_err make_child(th_self *self, struct actor *actor, const th_msg *msg, const char *colour)
{
    th_addr child;
    th_err err = th_spawn(self, class_of(colour), NULL, &child);

    actor->children += !err;
    return answer(self, msg, err, "made");
}

static th_err receive(th_self *self, void *state, const th_msg *msg)
{
    struct actor *actor = state;
    const struct talk_word *word = talk_word_of(msg);
    char text[TALK_TEXT_SIZE + 8];

    if (th_child_exited_of(msg)) {
        actor->children--;
        actor->last_reason = th_child_exited_of(msg)->reason;
    }
    if (!word)
        return TH_OK;
    if (strncmp(word->text, "set ", 4) == 0)
        return answer(self, msg, th_capability_set(self, word->text + 4, (th_value)TH_BOOL(true)),
                      "ok");
    if (strncmp(word->text, "remove ", 7) == 0)
        return answer(self, msg, th_capability_remove(self, word->text + 7), "ok");
    if (strncmp(word->text, "sub ", 4) == 0)
        return make_child(self, actor, msg, word->text + 4);
    if (strcmp(word->text, "reason?") == 0)
        return talk_count(self, th_msg_sender(msg), actor->last_reason);
    if (strcmp(word->text, "children?") == 0)
        return talk_count(self, th_msg_sender(msg), actor->children);
    snprintf(text, sizeof(text), "Got: %.50s", word->text);
    return talk_say(self, th_msg_sender(msg), text);
}

static const th_need needs_red[] = { { .name = "Red" }, { .name = NULL } };

static bool is_green(const th_facts *capabilities, const th_facts *requirements)
{
    return th_value_is_true(th_facts_get(capabilities, "Green"));
}

static const th_need needs_blue[] = { { .name = "Blue" }, { .name = NULL } };

#define COLOUR(title, ...)                                                                         \
    {                                                                                              \
        .name = title, .state_size = sizeof(struct actor), .init = init, .receive = receive,       \
        __VA_ARGS__                                                                                \
    }
static const th_class red_class = COLOUR("Red", .needs = needs_red);
static const th_class green_class = COLOUR("Green", .fits = is_green);
static const th_class blue_class = COLOUR("Blue", .needs = needs_blue);
static const th_class orange_class = COLOUR("Orange", .on_failure = TH_ON_FAILURE_KEEP);

static void set(th_self *me, const char *name)
{
    must(th_capability_set(me, name, (th_value)TH_BOOL(true)));
}

static void must_be_unfit(th_self *me, const th_class *klass)
{
    th_addr addr;

    must_be(th_spawn(me, klass, NULL, &addr), TH_E_UNFIT);
}

/* Asks until the parent has heard of its child's end. */
static void wait_childless(th_self *me, th_addr parent)
{
    while (talk_ask_number(me, parent, "children?"))
        continue;
}

/* ---- as Thespian's own tests have it, within one system ---- */

BOTH_BASES(capabilities, can_be_changed_from_outside)
{
    static const th_value colours[] = { TH_STRING("Red"), TH_STRING("Blue") };

    must(th_capability_set(ts->me, "Colors", (th_value)TH_LIST(colours, 2)));
    must(th_capability_set(ts->me, "Here", (th_value)TH_BOOL(true)));
    must(th_capability_remove(ts->me, "Here"));
}

BOTH_BASES(capabilities, can_be_changed_by_an_actor)
{
    th_addr orange = talk_create(ts->me, &orange_class);

    talk_expect(ts->me, orange, "set Blue", "ok");
    talk_create(ts->me, &blue_class);
}

BOTH_BASES(capabilities, what_is_not_there_is_needed_in_vain)
{
    must_be_unfit(ts->me, &red_class);
    must_be_unfit(ts->me, &green_class);
    must_be_unfit(ts->me, &blue_class);
    cr_assert_eq(test_system_counts(ts).spawned, 0);
}

BOTH_BASES(capabilities, what_was_added_is_there)
{
    set(ts->me, "Red");
    set(ts->me, "Green");
    talk_expect(ts->me, talk_create(ts->me, &red_class), "hello", "Got: hello");
    talk_expect(ts->me, talk_create(ts->me, &green_class), "howdy", "Got: howdy");
    must_be_unfit(ts->me, &blue_class);
}

BOTH_BASES(capabilities, what_was_added_is_there_for_children)
{
    th_addr red;

    set(ts->me, "Red");
    red = talk_create(ts->me, &red_class);
    talk_expect(ts->me, red, "sub Green", "TH_E_UNFIT");
    talk_expect(ts->me, red, "sub Red", "made");
    set(ts->me, "Green");
    talk_expect(ts->me, red, "sub Green", "made");
    talk_expect(ts->me, red, "sub Orange", "made");
}

BOTH_BASES(capabilities, what_an_actor_added_enables_others)
{
    th_addr orange = talk_create(ts->me, &orange_class), other;

    other = talk_create(ts->me, &orange_class);
    talk_expect(ts->me, other, "sub Green", "TH_E_UNFIT");
    talk_expect(ts->me, orange, "set Green", "ok");
    talk_expect(ts->me, other, "sub Green", "made");
    talk_expect(ts->me, orange, "remove Green", "ok");
    talk_expect(ts->me, other, "sub Green", "TH_E_UNFIT");
}

/* A parent with a child of each colour, told of each end. */
static th_addr family(th_self *me, const char *colour)
{
    char text[32];
    th_addr parent = talk_create(me, &orange_class);

    snprintf(text, sizeof(text), "sub %s", colour);
    talk_expect(me, parent, text, "made");
    return parent;
}

BOTH_BASES(capabilities, a_removal_ends_those_that_need_it)
{
    th_addr of_red, of_green, of_blue;

    set(ts->me, "Red");
    set(ts->me, "Green");
    set(ts->me, "Blue");
    of_red = family(ts->me, "Red");
    of_green = family(ts->me, "Green");
    of_blue = family(ts->me, "Blue");
    must(th_capability_remove(ts->me, "Red"));
    must(th_capability_remove(ts->me, "Green"));
    wait_childless(ts->me, of_red);
    wait_childless(ts->me, of_green);
    cr_assert_eq(talk_ask_number(ts->me, of_red, "reason?"), TH_EXIT_CAPABILITY);
    cr_assert_eq(talk_ask_number(ts->me, of_green, "reason?"), TH_EXIT_CAPABILITY);
    cr_assert_eq(talk_ask_number(ts->me, of_blue, "children?"), 1, "and nobody else");
    must_be_unfit(ts->me, &red_class);
}

BOTH_BASES(capabilities, a_removal_by_an_actor_may_end_itself)
{
    th_addr guardian, red;

    set(ts->me, "Red");
    guardian = talk_create(ts->me, &talk_guardian);
    red = talk_raise(ts->me, guardian, &red_class);
    talk_expect(ts->me, red, "remove Red", "ok"); /* its handler goes on to the end */
    talk_wait_for(ts->me, guardian, 1);
    talk_expect_gone(ts->me, red, "hello");
}

BOTH_BASES(capabilities, a_removal_ends_descendants)
{
    th_addr parent, child;
    th_actor_status status;
    uint64_t before;

    set(ts->me, "Blue");
    parent = talk_create(ts->me, &talk_guardian);
    child = talk_raise(ts->me, parent, &blue_class);
    talk_expect(ts->me, child, "sub Orange", "made");
    talk_expect(ts->me, child, "sub Blue", "made");
    before = test_system_counts(ts).spawned;
    must(th_capability_remove(ts->me, "Blue"));
    talk_wait_for(ts->me, parent, 1); /* children go first, so all three are gone */
    cr_assert_eq(test_system_counts(ts).exited, 3, "of %llu", (unsigned long long)before);
    must(th_actor_status_read(ts->sys, parent, &status));
    cr_assert_eq(status.children, 0);
}

BOTH_BASES(capabilities, what_changes_nothing_has_no_effect)
{
    uint64_t accepted;

    set(ts->me, "Red");
    talk_create(ts->me, &red_class);
    accepted = test_system_counts(ts).accepted;
    set(ts->me, "Red");
    must(th_capability_remove(ts->me, "Green"));
    must(th_capability_remove(ts->me, "Green"));
    must(th_capabilities_change(ts->me, NULL));
    cr_assert_eq(test_system_counts(ts).accepted, accepted, "nobody is told of it");
    set(ts->me, "Blue"); /* a change, but none that they mind */
    cr_assert_eq(test_system_counts(ts).accepted, accepted);
}

/* ---- needs ---- */

static bool fits_now(th_self *me, const th_need *needs, const th_fact *requirements,
                     const th_class *klass)
{
    th_spawn_options options = { .klass = klass, .needs = needs, .requirements = requirements };
    th_err err = th_fits(me, &options, NULL);

    cr_assert(err == TH_OK || err == TH_E_UNFIT, "%s", th_err_name(err));
    return err == TH_OK;
}

/* Whether "asdf" being @value (NONE: absent) meets a need of @op and @wanted. */
static bool meets(th_self *me, th_value value, th_need_op op, th_value wanted)
{
    const th_need needs[] = { { "asdf", op, wanted }, { .name = NULL } };

    must(th_capability_set(me, "asdf", value));
    return fits_now(me, needs, NULL, &orange_class);
}

static const th_value nothing = { .kind = TH_VALUE_NONE };

BOTH_BASES(capabilities, a_need_must_be_true)
{
    static const th_value one[] = { TH_BOOL(false) };
    static const th_value good[] = { TH_BOOL(true), TH_STRING("truthy"), TH_INTEGER(1),
                                     TH_REAL(0.5), TH_LIST(one, 1) };
    static const th_value bad[] = {
        { .kind = TH_VALUE_NONE }, TH_BOOL(false), TH_STRING(""), TH_INTEGER(0), TH_REAL(-0.0),
        TH_LIST(NULL, 0)
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_assert(meets(ts->me, good[i], TH_NEED_TRUE, nothing), "%zu", i);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert(!meets(ts->me, bad[i], TH_NEED_TRUE, nothing), "%zu", i);
        cr_assert_eq(meets(ts->me, bad[i], TH_NEED_PRESENT, nothing), i > 0);
    }
}

BOTH_BASES(capabilities, all_needs_must_be_met_in_any_order)
{
    static const th_need needs[2][3] = {
        { { .name = "asdf" }, { .name = "qwer" }, { .name = 0 } },
        { { .name = "qwer" }, { .name = "asdf" }, { .name = 0 } }
    };
    static const th_value values[] = { { .kind = TH_VALUE_NONE }, TH_BOOL(false), TH_BOOL(true) };

    for (int a = 0; a < 3; a++)
        for (int q = 0; q < 3; q++) {
            must(th_capability_set(ts->me, "asdf", values[a]));
            must(th_capability_set(ts->me, "qwer", values[q]));
            for (int order = 0; order < 2; order++)
                cr_assert_eq(fits_now(ts->me, needs[order], NULL, &orange_class), a == 2 && q == 2);
        }
}

BOTH_BASES(capabilities, a_need_may_name_a_value)
{
    th_value wanted = TH_STRING("ribbet"), tail[] = { TH_INTEGER(2), TH_STRING("b") };

    cr_assert(meets(ts->me, (th_value)TH_STRING("ribbet"), TH_NEED_EQUAL, wanted));
    cr_assert(!meets(ts->me, (th_value)TH_STRING("moo"), TH_NEED_EQUAL, wanted));
    cr_assert(!meets(ts->me, (th_value)TH_BOOL(true), TH_NEED_EQUAL, wanted));
    cr_assert(!meets(ts->me, (th_value)TH_INTEGER(1), TH_NEED_EQUAL, wanted));
    cr_assert(!meets(ts->me, nothing, TH_NEED_EQUAL, wanted));
    cr_assert(meets(ts->me, (th_value)TH_REAL(1), TH_NEED_EQUAL, (th_value)TH_INTEGER(1)));
    cr_assert(!meets(ts->me, (th_value)TH_BOOL(true), TH_NEED_EQUAL, (th_value)TH_INTEGER(1)));
    cr_assert(meets(ts->me, (th_value)TH_LIST(tail, 2), TH_NEED_CONTAINS, tail[1]));
    cr_assert(!meets(ts->me, (th_value)TH_LIST(tail, 1), TH_NEED_CONTAINS, tail[1]));
    cr_assert(!meets(ts->me, tail[1], TH_NEED_CONTAINS, tail[1]), "no list");
}

BOTH_BASES(capabilities, a_need_may_be_a_bound)
{
    th_value sixteen = TH_INTEGER(16), half = TH_REAL(15.5), m = TH_STRING("m");

    cr_assert(meets(ts->me, sixteen, TH_NEED_AT_LEAST, sixteen));
    cr_assert(meets(ts->me, sixteen, TH_NEED_AT_LEAST, half));
    cr_assert(!meets(ts->me, half, TH_NEED_AT_LEAST, sixteen));
    cr_assert(meets(ts->me, half, TH_NEED_AT_MOST, sixteen));
    cr_assert(!meets(ts->me, sixteen, TH_NEED_AT_MOST, half));
    cr_assert(meets(ts->me, m, TH_NEED_AT_MOST, (th_value)TH_STRING("n")));
    cr_assert(!meets(ts->me, m, TH_NEED_AT_LEAST, (th_value)TH_STRING("n")));
    cr_assert(!meets(ts->me, m, TH_NEED_AT_LEAST, sixteen), "they have no order");
    cr_assert(!meets(ts->me, nothing, TH_NEED_AT_MOST, sixteen));
    /* 2^53 + 1 is no double */
    cr_assert(!meets(ts->me, (th_value)TH_INTEGER(INT64_C(9007199254740993)), TH_NEED_AT_MOST,
                     (th_value)TH_REAL(9007199254740992.0)));
}

static bool barks(const th_facts *capabilities, const th_facts *requirements)
{
    static const th_value woof = TH_STRING("woof");

    return th_value_equal(th_facts_get(requirements, "foo"), &woof);
}

BOTH_BASES(capabilities, requirements_go_to_the_class)
{
    static const th_class dog = { .name = "dog", .fits = barks };
    static const th_fact none[] = { { .name = NULL } };
    static const th_fact wrong[] = { { "foo", TH_STRING("boo") }, { .name = NULL } };
    static const th_fact other[] = { { "dog", TH_STRING("woof") }, { .name = NULL } };
    static const th_fact right[] = { { "foo", TH_STRING("woof") },
                                     { "bar", TH_STRING("foo") },
                                     { .name = NULL } };

    cr_assert(!fits_now(ts->me, NULL, NULL, &dog));
    cr_assert(!fits_now(ts->me, NULL, none, &dog));
    cr_assert(!fits_now(ts->me, NULL, wrong, &dog));
    cr_assert(!fits_now(ts->me, NULL, other, &dog));
    cr_assert(fits_now(ts->me, NULL, right, &dog));
    must(th_fits(ts->me, &(th_spawn_options){ .klass = &orange_class, .requirements = wrong },
                 NULL)); /* it asks for none */
}

BOTH_BASES(capabilities, those_of_a_spawn_come_on_top)
{
    th_need needs[] = { { .name = "Blue" }, { .name = NULL } };
    th_spawn_options options = { .klass = &red_class, .needs = needs };
    th_addr guardian = talk_create(ts->me, &talk_guardian), addr;
    char why[TH_DETAILS_SIZE];
    const char *missing = NULL;
    th_system_status status;

    set(ts->me, "Red");
    must_be(th_create(ts->me, &options, TALK_PATIENCE, &addr, why), TH_E_UNFIT);
    cr_assert(strstr(why, "Blue"), "%s", why);
    must_be(th_fits(ts->me, &options, &missing), TH_E_UNFIT);
    cr_assert_str_eq(missing, "Blue");
    set(ts->me, "Blue");
    must(th_create(ts->me, &options, TALK_PATIENCE, &addr, NULL));
    needs[0].name = NULL; /* they are copied */
    must(th_system_status_read(ts->sys, &status));
    cr_assert_eq(status.choosy, 1);
    must(th_capability_remove(ts->me, "Blue"));
    do
        must(th_system_status_read(ts->sys, &status));
    while (status.choosy && talk_create(ts->me, &orange_class).system);
    talk_expect_gone(ts->me, addr, "hello");
    (void)guardian;
}

static const th_class reddish = COLOUR("reddish", .base = &red_class);

BOTH_BASES(capabilities, those_of_a_base_hold_too)
{
    must_be_unfit(ts->me, &reddish);
    set(ts->me, "Red");
    talk_create(ts->me, &reddish);
}

/* ---- what an actor can read ---- */

static th_err told_init(th_self *self, void *state, const th_msg *arg)
{
    const th_value *hue = th_facts_get(th_self_requirements(self), "hue");
    const th_value *red = th_facts_get(th_capabilities_now(self), "Red");

    return hue && strcmp(hue->as.string, "red") == 0 && red && red->as.boolean ? TH_OK
                                                                               : TH_E_FAILED;
}

BOTH_BASES(capabilities, init_reads_them_and_the_requirements)
{
    static const th_class told = { .name = "told", .init = told_init };
    char hue[] = "red";
    th_fact requirements[] = { { "hue", TH_STRING(hue) }, { .name = NULL } };
    th_spawn_options options = { .klass = &told, .requirements = requirements };
    th_addr addr;

    set(ts->me, "Red");
    must(th_spawn_with(ts->me, &options, &addr));
    hue[0] = 'b'; /* copied */
    talk_expect_silence(ts->me, addr, "alive?");
    must_be(th_create(ts->me, &options, TALK_PATIENCE, &addr, NULL), TH_E_INIT);
}

/* Changes them twice in one handler, and reads what it had before. */
static th_err reader_receive(th_self *self, void *state, const th_msg *msg)
{
    const th_facts *before = th_capabilities_now(self), *after;
    bool well;

    if (!talk_word_of(msg) || th_capability_set(self, "n", (th_value)TH_STRING("second")) ||
        th_capability_set(self, "n", (th_value)TH_STRING("third")))
        return TH_OK;
    after = th_capabilities_now(self);
    well = strcmp(th_facts_get(before, "n")->as.string, "first") == 0 &&
           strcmp(th_facts_get(after, "n")->as.string, "third") == 0;
    return talk_say(self, th_msg_sender(msg), well ? "well" : "not well");
}

BOTH_BASES(capabilities, a_set_stays_as_it_is_while_it_is_read)
{
    static const th_class reader = { .name = "reader", .receive = reader_receive };
    th_addr addr = talk_create(ts->me, &reader);
    th_facts *held;

    for (int i = 0; i < 20; i++) {
        must(th_capability_set(ts->me, "n", (th_value)TH_STRING("first")));
        held = i % 2 ? th_capabilities_hold(ts->me) : NULL; /* else only the reader keeps it */
        talk_expect(ts->me, addr, "change it", "well");
        if (held)
            cr_assert_str_eq(th_facts_get(held, "n")->as.string, "first");
        th_facts_release(held);
    }
}

BOTH_BASES(capabilities, every_system_has_the_standard_ones)
{
    static const char *const names[] = { "thespis.abi",        "thespis.base",
                                         "thespis.generation", "thespis.platform",
                                         "thespis.system.id",  "thespis.system.name",
                                         "thespis.version",    "thespis.workers" };
    th_facts *facts = th_capabilities_hold(ts->me);

    cr_assert_eq(th_facts_count(facts), 8);
    for (size_t i = 0; i < 8; i++) {
        cr_assert_str_eq(th_facts_at(facts, i)->name, names[i]);
        must_be(th_capability_remove(ts->me, names[i]), TH_E_NOT_ALLOWED);
    }
    cr_assert_null(th_facts_at(facts, 8));
    cr_assert_str_eq(th_facts_get(facts, "thespis.version")->as.string, th_version());
    cr_assert_str_eq(th_facts_get(facts, "thespis.base")->as.string,
                     test_is_simple(ts) ? "simple" : "pool");
    th_facts_release(facts);
}

Test(capabilities, a_system_begins_with_some)
{
    const th_fact facts[] = { { "Red", TH_BOOL(true) }, { "n", TH_INTEGER(7) }, { .name = NULL } };
    th_options options = { .base = TH_BASE_SIMPLE, .capabilities = facts };
    struct test_system ts = test_system_open_with(&options);
    const th_fact own[] = { { "thespis.base", TH_INTEGER(7) }, { .name = NULL } };
    const th_fact bad[] = { { "", TH_INTEGER(7) }, { .name = NULL } };
    th_facts *held = th_capabilities_hold(ts.me);

    cr_assert_eq(th_facts_get(held, "n")->as.integer, 7);
    th_facts_release(held);
    talk_create(ts.me, &red_class);
    test_system_close(&ts);
    options.capabilities = own;
    must_be(th_options_check(&options, NULL), TH_E_INVALID);
    options.capabilities = bad;
    must_be(th_options_check(&options, NULL), TH_E_INVALID);
    cr_assert_null(th_system_create(&options));
}

/* ---- limits ---- */

BOTH_BASES(capabilities, there_are_so_many_and_no_more)
{
    static char large[TH_FACTS_SIZE_MAX + 2];
    th_fact changes[] = { { "one", TH_BOOL(true) }, { "two", TH_REAL(0) }, { .name = NULL } };
    char name[16];
    th_facts *facts;

    for (int i = 8; i < TH_FACTS_MAX - 1; i++) {
        snprintf(name, sizeof(name), "%d", i);
        set(ts->me, name);
    }
    must_be(th_capabilities_change(ts->me, changes), TH_E_LIMIT);
    facts = th_capabilities_hold(ts->me);
    cr_assert_null(th_facts_get(facts, "one"), "all or nothing");
    th_facts_release(facts);
    set(ts->me, "one");
    must_be(th_capability_set(ts->me, "two", (th_value)TH_BOOL(true)), TH_E_LIMIT);
    memset(large, 'x', sizeof(large) - 1);
    must_be(th_capability_set(ts->me, "one", (th_value)TH_STRING(large)), TH_E_LIMIT);
    must_be(th_capability_set(ts->me, "one", (th_value)TH_REAL(__builtin_nan(""))), TH_E_INVALID);
}

/* ---- races ---- */

/* The moment between judging an actor and making it, held open: the capability goes meanwhile. */
static th_self *_Atomic remover;

static void *remove_red(void *context)
{
    return th_capability_remove(context, "Red") ? context : NULL;
}

static bool judges_slowly(const th_facts *capabilities, const th_facts *requirements)
{
    bool fits = th_value_is_true(th_facts_get(capabilities, "Red"));
    th_self *other = atomic_exchange(&remover, NULL);
    pthread_t thread;
    void *wrong = NULL;

    if (other &&
        (pthread_create(&thread, NULL, remove_red, other) || pthread_join(thread, &wrong) || wrong))
        abort();
    return fits;
}

Test(capabilities, what_goes_while_it_is_judged_is_not_there)
{
    static const th_class slow = { .name = "slow", .fits = judges_slowly };
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    th_self *other;

    must(th_endpoint_open(ts.sys, &other));
    set(ts.me, "Red");
    atomic_store(&remover, other);
    must_be_unfit(ts.me, &slow);
    cr_assert_null(atomic_load(&remover), "it was judged");
    must(th_endpoint_close(other));
    test_system_close(&ts);
}

enum { FLIPS = 300 };

static void *flip(void *context)
{
    th_system *sys = context;
    th_self *me;
    bool wrong = th_endpoint_open(sys, &me) != TH_OK;

    for (int i = 0; i < FLIPS && !wrong; i++)
        wrong = th_capability_set(me, "Red", (th_value)TH_BOOL(true)) ||
                th_capability_remove(me, "Red");
    wrong = wrong || th_endpoint_close(me) != TH_OK;
    return wrong ? context : NULL;
}

/* Whoever came in while the capability was there is told when it goes: at the end nobody is left.
 */
Test(capabilities, nobody_slips_in_beside_a_change, .timeout = 60)
{
    struct test_system ts = test_system_open(TH_BASE_POOL, 0);
    pthread_t thread;
    void *wrong;
    th_system_status status;
    th_addr addr;

    cr_assert_eq(pthread_create(&thread, NULL, flip, ts.sys), 0);
    for (int i = 0; i < FLIPS; i++) {
        th_err err = th_spawn(ts.me, i % 2 ? &red_class : &reddish, NULL, &addr);

        cr_assert(err == TH_OK || err == TH_E_UNFIT, "%s", th_err_name(err));
    }
    pthread_join(thread, &wrong);
    cr_assert_null(wrong);
    do
        must(th_system_status_read(ts.sys, &status));
    while (status.choosy);
    test_system_close(&ts);
}
