/* One table, and what is odd in families. Classes at work: feature/test_type_dispatcher.c. */
#include "puppet.h"

#include <thespis/dispatch.h>

#define ANIMAL_FIELDS(F, S) F(S, u32, legs)
TH_MESSAGE(animal, ANIMAL_FIELDS);
TH_MESSAGE_TYPE(animal, ANIMAL_FIELDS)
TH_MESSAGE(dog, ANIMAL_FIELDS);
TH_MESSAGE_TYPE_AS(dog, ANIMAL_FIELDS, 0, &animal_type)
TH_MESSAGE(poodle, ANIMAL_FIELDS);
TH_MESSAGE_TYPE_AS(poodle, ANIMAL_FIELDS, 0, &dog_type)
TH_SIGNAL(stone);
TH_SIGNAL_TYPE(stone)

static th_err row_0(th_self *self, void *state, const th_msg *msg)
{
    (void)self, (void)state, (void)msg;
    return TH_E_LIMIT;
}

static th_err row_1(th_self *self, void *state, const th_msg *msg)
{
    (void)self, (void)msg;
    ++*(uint64_t *)state;
    return TH_E_PARSE;
}

static th_err rest(th_self *self, void *state, const th_msg *msg)
{
    (void)self, (void)state, (void)msg;
    return TH_E_EXISTS;
}

static const th_case exact[] = { { &poodle_type, row_0 }, { &dog_type, row_1 }, { NULL, NULL } };
static const th_case wide[] = { { &stone_type, row_0 }, { &animal_type, row_1 }, { NULL, rest } };
/* the wider row stands first */
static const th_case upside_down[] = {
    { &animal_type, row_0 }, { &dog_type, row_1 }, { &dog_type, row_0 }, { NULL, NULL }
};
static const th_case mute[] = { { &animal_type, NULL }, { NULL, rest } };

BOTH_BASES(dispatch, takes_the_row_that_fits_best, .init = journal_clear)
{
    th_msg *poodle = poodle_new(ts->me, NULL), *dog = dog_new(ts->me, NULL);
    th_msg *animal = animal_new(ts->me, NULL), *stone = th_msg_create(ts->me, &stone_type);
    uint64_t state = 0;

    cr_assert_eq(th_dispatch(ts->me, &state, poodle, exact), TH_E_LIMIT);
    cr_assert_eq(state, 0);
    cr_assert_eq(th_dispatch(ts->me, &state, dog, exact), TH_E_PARSE);
    cr_assert_eq(state, 1);
    cr_assert_eq(th_dispatch(ts->me, &state, animal, exact), TH_OK, "no row, no rest: ignored");
    cr_assert_eq(th_dispatch(ts->me, &state, stone, exact), TH_OK);
    cr_assert_eq(state, 1);
    cr_assert_eq(th_dispatch(ts->me, &state, stone, wide), TH_E_LIMIT);
    cr_assert_eq(th_dispatch(ts->me, &state, animal, wide), TH_E_PARSE);
    cr_assert_eq(th_dispatch(ts->me, &state, poodle, wide), TH_E_PARSE, "its parent's parent");
    cr_assert_eq(state, 3);
    cr_assert_eq(th_dispatch(ts->me, &state, poodle, upside_down), TH_E_PARSE, "most specific");
    cr_assert_eq(th_dispatch(ts->me, &state, dog, upside_down), TH_E_PARSE, "of two the first");
    cr_assert_eq(th_dispatch(ts->me, &state, animal, upside_down), TH_E_LIMIT);
    cr_assert_eq(th_dispatch(ts->me, &state, dog, mute), TH_OK, "a row without a handler");
    cr_assert_eq(th_dispatch(ts->me, &state, stone, mute), TH_E_EXISTS);
    cr_assert_eq(th_dispatch(NULL, &state, stone, mute), TH_E_INVALID);
    cr_assert_eq(th_dispatch(ts->me, &state, NULL, mute), TH_E_INVALID);
    cr_assert_eq(th_dispatch(ts->me, &state, stone, NULL), TH_E_INVALID);
    th_msg_destroy(ts->me, poodle);
    th_msg_destroy(ts->me, dog);
    th_msg_destroy(ts->me, animal);
    th_msg_destroy(ts->me, stone);
}

/* ---- passing on ---- */

static th_err note_and_pass(th_self *self, void *state, const th_msg *msg)
{
    note(*(uint64_t *)state, 0, th_addr_none());
    return TH_SUPER;
}

static th_err note_base(th_self *self, void *state, const th_msg *msg)
{
    note(100 + *(uint64_t *)state, 0, th_addr_none());
    return TH_SUPER;
}

static th_err note_rest(th_self *self, void *state, const th_msg *msg)
{
    note(200 + *(uint64_t *)state, 0, th_addr_none());
    return TH_SUPER;
}

static th_err note_receive(th_self *self, void *state, const th_msg *msg)
{
    note(300 + *(uint64_t *)state, 0, th_addr_none());
    return TH_E_FAILED;
}

static const th_case base_cases[] = { { &animal_type, note_base },
                                      { &dog_type, note_base },
                                      { NULL, note_rest } };
static const th_class base = { .name = "base", .receive = note_receive, .cases = base_cases };
static const th_class between = { .name = "between", .base = &base };
static const th_case derived_cases[] = { { &animal_type, note_and_pass },
                                         { &dog_type, note_and_pass },
                                         { NULL, note_and_pass } };
static const th_class derived = { .name = "derived", .base = &between, .cases = derived_cases };

BOTH_BASES(dispatch, goes_on_by_class_then_by_type_then_to_the_rest, .init = journal_clear)
{
    static const uint64_t order[] = { 7, 107, 7, 107, 7, 207, 307 };
    th_msg *dog = dog_new(ts->me, NULL);
    uint64_t state = 7;

    cr_assert_eq(th_dispatch_class(ts->me, &derived, &state, dog), TH_E_FAILED);
    cr_assert_eq(atomic_load(&journal_length), 7);
    for (unsigned i = 0; i < 7; i++)
        cr_assert_eq(journal[i].what, order[i], "call %u", i);
    th_msg_destroy(ts->me, dog);
}

BOTH_BASES(dispatch, asks_no_receive_of_the_class_itself, .init = journal_clear)
{
    th_msg *dog = dog_new(ts->me, NULL);
    uint64_t state = 0;

    cr_assert_eq(th_dispatch_class(ts->me, &base, &state, dog), TH_OK);
    cr_assert_eq(atomic_load(&journal_length), 3); /* two rows and the rest */
    cr_assert_eq(th_dispatch_class(NULL, &base, &state, dog), TH_E_INVALID);
    cr_assert_eq(th_dispatch_class(ts->me, NULL, &state, dog), TH_E_INVALID);
    cr_assert_eq(th_dispatch_class(ts->me, &base, &state, NULL), TH_E_INVALID);
    th_msg_destroy(ts->me, dog);
}

static th_err row_of_the_circle(th_self *self, void *state, const th_msg *msg)
{
    return TH_E_EXISTS;
}

BOTH_BASES(dispatch, ends_in_a_circle_of_types_or_classes, .init = journal_clear)
{
    static th_type round = { .name = "round" };
    static const th_case cases[] = { { &animal_type, row_1 }, { NULL, row_of_the_circle } };
    static th_class ring = { .name = "ring" };
    th_msg *msg;

    round.parent = &round;
    msg = th_msg_create(ts->me, &round);
    cr_assert_not_null(msg);
    cr_assert_eq(th_dispatch(ts->me, NULL, msg, cases), TH_E_EXISTS);
    ring.base = &ring;
    cr_assert_eq(th_dispatch_class(ts->me, &ring, NULL, msg), TH_E_INVALID);
    th_msg_destroy(ts->me, msg);
}
