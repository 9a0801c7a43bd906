/* Troupes: a bee, a hive, hives whose limits change, and a colony of bees that each keep a hive.
 *
 * A bee takes a while for each flower. On the simple base that while is virtual, so how long a
 * troupe took says how many bees were at work; on the pool it is a hundredth, and nothing is said
 * of time. */
#include "tests/support/system.h"

#include <thespis/troupe.h>
#include <thespis/testkit.h>

#include <stdio.h>
#include <string.h>

#define FLOWER_FIELDS(F, S) F(S, u32, ms) F(S, chars, name, 16) F(S, bool_, quick)
TH_MESSAGE(flower, FLOWER_FIELDS);
TH_MESSAGE_TYPE(flower, FLOWER_FIELDS)

#define BUZZ_FIELDS(F, S) F(S, chars, name, 16)
TH_MESSAGE(buzz, BUZZ_FIELDS);
TH_MESSAGE_TYPE(buzz, BUZZ_FIELDS)

TH_SIGNAL(buzz_off);
TH_SIGNAL_TYPE(buzz_off)

static const struct flower meadow[] = { { 500, "Fizz", false },     { 1000, "Honey", false },
                                        { 250, "Clover", false },   { 750, "Pollen", false },
                                        { 13, "Orchid", false },    { 10, "Rose", false },
                                        { 13, "Carnation", false }, { 10, "Lily", false },
                                        { 13, "Daffodil", false },  { 10, "Begonia", false },
                                        { 10, "Violet", false },    { 10, "Aster", false } };

/* The first four once, the small ones six times: 52 visits, 3034 ms. */
enum { KINDS = 12, BIG = 4, SMALL_ROUNDS = 6, VISITS = BIG + (KINDS - BIG) * SMALL_ROUNDS };
#define MEADOW_MS 3034

/* ---- actors ---- */

struct bee {
    th_addr asker;
    struct flower flower;
};

static th_err bee_answer(th_self *self, const struct bee *bee)
{
    struct buzz buzz;

    memcpy(buzz.name, bee->flower.name, sizeof(buzz.name));
    return buzz_send(self, bee->asker, buzz);
}

static th_err bee_receive(th_self *self, void *state, const th_msg *msg)
{
    const struct flower *flower = flower_of(msg);
    struct bee *bee = state;
    th_err err;

    if (flower) {
        bee->asker = th_msg_sender(msg);
        bee->flower = *flower;
        if (th_troupe_hold(self)) /* a bee on its own has no troupe to keep waiting */
            return bee_answer(self, bee);
        return th_wakeup_after(self, flower->quick ? TH_US(flower->ms * 10) : TH_MS(flower->ms),
                               NULL, NULL);
    }
    if (!th_wakeup_of(msg))
        return TH_OK;
    err = bee_answer(self, bee);
    return err ? err : th_troupe_done(self);
}

static const th_class bee_class = { .name = "bee",
                                    .state_size = sizeof(struct bee),
                                    .receive = bee_receive };

struct keeper {
    th_addr hive;
    th_addr asker;
};

static th_err keeper_receive(th_self *self, void *state, const th_msg *msg)
{
    struct keeper *keeper = state;
    th_err err = TH_OK;

    if (flower_of(msg)) {
        if (th_addr_is_none(keeper->hive))
            err = th_troupe_spawn(self, &bee_class, NULL, NULL, &keeper->hive);
        keeper->asker = th_msg_sender(msg);
        err = err ? err : flower_send(self, keeper->hive, *flower_of(msg));
        return err ? err : th_troupe_hold(self);
    }
    if (!buzz_of(msg))
        return TH_OK;
    err = buzz_send(self, keeper->asker, *buzz_of(msg));
    return err ? err : th_troupe_done(self);
}

static const th_class keeper_class = { .name = "keeper",
                                       .state_size = sizeof(struct keeper),
                                       .receive = keeper_receive };

/* ---- what each scenario does ---- */

static uint64_t now_ms(struct test_system *ts)
{
    return th_now(ts->me) / TH_MS(1);
}

static void visit_kind(struct test_system *ts, th_addr to, unsigned kind)
{
    struct flower flower = meadow[kind];

    flower.quick = !test_is_simple(ts);
    cr_assert_eq(flower_send(ts->me, to, flower), TH_OK);
}

/* One answer: whose. */
static unsigned hear_kind(struct test_system *ts)
{
    unsigned kind = 0;
    th_msg *msg = NULL;

    cr_assert_eq(th_listen(ts->me, TEST_PATIENCE, &msg), TH_OK);
    cr_assert_not_null(buzz_of(msg), "heard a %s", th_type_name(th_msg_type(msg)));
    while (kind < KINDS && strcmp(meadow[kind].name, buzz_of(msg)->name) != 0)
        kind++;
    cr_assert_lt(kind, KINDS);
    th_msg_destroy(ts->me, msg);
    return kind;
}

/* The whole meadow twice, so that workers may leave in between. Milliseconds it took. */
static uint64_t harvest(struct test_system *ts, th_addr to)
{
    uint64_t start = now_ms(ts);

    for (int pass = 0; pass < 2; pass++) {
        unsigned heard[KINDS] = { 0 };

        for (unsigned kind = 0; kind < KINDS; kind++)
            for (int round = 0; round < (kind < BIG ? 1 : SMALL_ROUNDS); round++)
                visit_kind(ts, to, kind);
        for (int i = 0; i < VISITS; i++)
            heard[hear_kind(ts)]++;
        for (unsigned kind = 0; kind < KINDS; kind++)
            cr_assert_eq(heard[kind], kind < BIG ? 1 : SMALL_ROUNDS, "%s: %u answers",
                         meadow[kind].name, heard[kind]);
    }
    return now_ms(ts) - start;
}

static void took(struct test_system *ts, uint64_t ms, uint64_t least, uint64_t most)
{
    if (!test_is_simple(ts))
        return;
    cr_assert_geq(ms, least, "took %u ms", (unsigned)ms);
    cr_assert_leq(ms, most, "took %u ms", (unsigned)ms);
}

static struct th_troupe_limits set(struct test_system *ts, th_addr troupe,
                                   struct th_troupe_set wish)
{
    struct th_troupe_limits limits;
    struct th_troupe_set *body;
    th_msg *msg = th_troupe_set_new(ts->me, &body), *answer = NULL;

    *body = wish;
    cr_assert_eq(th_ask(ts->me, troupe, msg, TEST_PATIENCE, &answer), TH_OK);
    cr_assert_not_null(th_troupe_limits_of(answer));
    limits = *th_troupe_limits_of(answer);
    th_msg_destroy(ts->me, answer);
    return limits;
}

static struct th_troupe_status look(struct test_system *ts, th_addr troupe)
{
    struct th_troupe_status status;
    th_msg *answer = NULL;

    cr_assert_eq(th_ask(ts->me, troupe, th_msg_create(ts->me, &th_troupe_ask_status_type),
                        TEST_PATIENCE, &answer),
                 TH_OK);
    cr_assert_not_null(th_troupe_status_of(answer));
    status = *th_troupe_status_of(answer);
    th_msg_destroy(ts->me, answer);
    return status;
}

static th_addr hive(struct test_system *ts, const th_class *klass)
{
    th_addr troupe;

    cr_assert_eq(th_troupe_spawn(ts->me, klass, NULL, NULL, &troupe), TH_OK);
    return troupe;
}

/* Sixty messages nobody answers, until the workers above the limit have left. */
static void shrink_to_one(struct test_system *ts, th_addr troupe)
{
    for (int i = 0; i < 60; i++)
        cr_assert_eq(th_send(ts->me, troupe, th_msg_create(ts->me, &buzz_off_type)), TH_OK);
    while (look(ts, troupe).workers != 1)
        ;
}

/* ---- the scenarios ---- */

BOTH_BASES(troupe, single_bee)
{
    th_addr bee;

    cr_assert_eq(th_spawn(ts->me, &bee_class, NULL, &bee), TH_OK);
    harvest(ts, bee);
}

BOTH_BASES(troupe, hive)
{
    th_addr troupe = hive(ts, &bee_class);

    /* ten bees: the longest visit decides, twice */
    took(ts, harvest(ts, troupe), 2000, 2600);
    cr_assert_eq(look(ts, troupe).jobs, 2 * VISITS);
    cr_assert_leq(look(ts, troupe).workers, 10);
}

BOTH_BASES(troupe, small_hive_adjusted_limit_by_limit)
{
    th_addr troupe = hive(ts, &bee_class);

    cr_assert_eq(look(ts, troupe).workers_max, 10);
    cr_assert_eq(set(ts, troupe, (struct th_troupe_set){ .workers_max = 1 }).workers_max, 1);
    cr_assert_eq(look(ts, troupe).workers_max, 1);
    took(ts, harvest(ts, troupe), 2 * MEADOW_MS, 2 * MEADOW_MS + 100);
    cr_assert_eq(set(ts, troupe, (struct th_troupe_set){ .workers_max = 2 }).workers_max, 2);
    took(ts, harvest(ts, troupe), MEADOW_MS, MEADOW_MS + 1000);
    cr_assert_eq(set(ts, troupe, (struct th_troupe_set){ .workers_max = 52 }).workers_max, 52);
    took(ts, harvest(ts, troupe), 2000, 2100);
    cr_assert_eq(set(ts, troupe, (struct th_troupe_set){ .workers_max = 1 }).workers_max, 1);
    cr_assert_eq(set(ts, troupe, (struct th_troupe_set){ .idle_max = 1 }).idle_max, 1);
    shrink_to_one(ts, troupe);
    took(ts, harvest(ts, troupe), 2 * MEADOW_MS, 2 * MEADOW_MS + 100);
}

BOTH_BASES(troupe, small_hive_adjusted_all_at_once)
{
    th_addr troupe = hive(ts, &bee_class);
    struct th_troupe_limits limits;

    limits = set(ts, troupe, (struct th_troupe_set){ .workers_max = 1 });
    cr_assert_eq(limits.workers_max, 1);
    cr_assert_eq(limits.idle_max, 2, "what was not named has changed");
    took(ts, harvest(ts, troupe), 2 * MEADOW_MS, 2 * MEADOW_MS + 100);
    limits = set(ts, troupe, (struct th_troupe_set){ .workers_max = 8, .idle_max = 5 });
    cr_assert_eq(limits.workers_max, 8);
    cr_assert_eq(limits.idle_max, 5);
    took(ts, harvest(ts, troupe), 2000, 2700);
    limits = set(ts, troupe, (struct th_troupe_set){ .workers_max = 1, .idle_max = 1 });
    cr_assert_eq(limits.workers_max, 1);
    cr_assert_eq(limits.idle_max, 1);
    shrink_to_one(ts, troupe);
    took(ts, harvest(ts, troupe), 2 * MEADOW_MS, 2 * MEADOW_MS + 100);
}

BOTH_BASES(troupe, colony)
{
    th_addr troupe = hive(ts, &keeper_class);

    /* a keeper waits for its own hive, so ten are busy at most */
    took(ts, harvest(ts, troupe), 2000, 2600);
    cr_assert_eq(th_stop(ts->me, troupe), TH_OK); /* and all the hives with it */
}
