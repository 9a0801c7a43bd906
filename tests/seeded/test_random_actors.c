/* Random actors on the simple base: ten thousand programs, each of its seed, each held against the
 * model in tests/support/random_ledger.h. A failing seed is printed; TH_SEED=<seed> replays it. */
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "tests/support/random_actors.h"

/* A sanitizer slows each run down tenfold. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SEEDS = 1000, TWICE = 50 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SEEDS = 1000, TWICE = 50 };
#else
enum { SEEDS = 10000, TWICE = 500 };
#endif
#else
enum { SEEDS = 10000, TWICE = 500 };
#endif

static struct random_ledger ledger;

static struct random_plan plan_of(uint64_t seed)
{
    struct random_plan plan = { .base = TH_BASE_SIMPLE, .seed = seed };

    plan.openings = 4 + (uint32_t)(seed % 61);
    plan.fuel = 2 + (uint32_t)(seed % 7);
    return plan;
}

/* The one seed asked for, or 0. */
static uint64_t seed_asked_for(void)
{
    const char *text = getenv("TH_SEED");

    return text ? strtoull(text, NULL, 0) : 0;
}

static struct random_result run_seed(uint64_t seed)
{
    const struct random_plan plan = plan_of(seed);
    struct random_result result = random_actors_run(&plan, &ledger);

    if (result.wrong)
        fprintf(stderr, "TH_SEED=%llu: %s (%u players, %u balls, %u questions)\n",
                (unsigned long long)seed, result.wrong, result.players, result.balls,
                result.questions);
    return result;
}

Test(random_actors, ten_thousand_seeds, .timeout = 580)
{
    uint64_t only = seed_asked_for(), balls = 0, players = 0, questions = 0;
    struct random_result result;

    for (uint64_t seed = only ? only : 1; seed <= (only ? only : SEEDS); seed++) {
        result = run_seed(seed);
        cr_assert_null(result.wrong, "TH_SEED=%llu: %s", (unsigned long long)seed, result.wrong);
        balls += result.balls;
        players += result.players;
        questions += result.questions;
    }
    /* a program that does nothing satisfies every model */
    if (!only) {
        cr_assert_gt(balls, SEEDS * 40ull);
        cr_assert_gt(players, SEEDS * 5ull);
        cr_assert_gt(questions, SEEDS * 4ull);
    }
}

Test(random_actors, one_seed_is_one_history, .timeout = 300)
{
    uint64_t only = seed_asked_for(), first = only ? only : 1, last = only ? only : TWICE;
    uint64_t before = 0, different = 0;

    for (uint64_t seed = first; seed <= last; seed++) {
        struct random_result one = run_seed(seed), two = run_seed(seed);

        cr_assert_null(one.wrong);
        cr_assert_eq(one.trace, two.trace, "TH_SEED=%llu has two histories",
                     (unsigned long long)seed);
        cr_assert_eq(one.balls, two.balls);
        cr_assert_eq(one.players, two.players);
        cr_assert_eq(one.counts.handled, two.counts.handled);
        cr_assert_eq(one.counts.dead, two.counts.dead);
        different += one.trace != before;
        before = one.trace;
    }
    if (!only)
        cr_assert_eq(different, TWICE, "seeds share a history");
}

/* ---- that the model objects ---- */

static void expect_objection(const char *expected)
{
    const char *wrong = random_ledger_verdict(&ledger, true);

    cr_assert_not_null(wrong, "no objection: %s", expected);
    cr_assert_str_eq(wrong, expected);
}

/* A good run of ours, to be falsified: ball 1 was thrown in, player 1 lived and went. */
static void play_well(void)
{
    struct random_result result = run_seed(3);

    cr_assert_null(result.wrong);
    cr_assert_null(random_ledger_verdict(&ledger, true));
    cr_assert_geq(result.players, 1);
}

Test(random_actors, the_model_objects_to_a_lost_message)
{
    play_well();
    ledger.balls[1].expected++;
    ledger.balls[1].may_vanish = false;
    expect_objection("a message vanished");
    cr_assert_null(random_ledger_verdict(&ledger, false));
}

Test(random_actors, the_model_objects_to_a_second_fate)
{
    play_well();
    ledger.balls[1].dead = (uint16_t)(ledger.balls[1].expected + 1);
    expect_objection("a message had two fates");
}

Test(random_actors, the_model_objects_to_a_third_delivery)
{
    play_well();
    ledger.balls[1].attempts = (uint16_t)(2 * ledger.balls[1].expected + 1);
    expect_objection("a message was delivered too often");
}

Test(random_actors, the_model_objects_to_an_actor_that_did_not_exit)
{
    play_well();
    ledger.players[1].exits--;
    expect_objection("an actor started more often than it ended");
}

Test(random_actors, the_model_objects_to_wrong_news_of_children)
{
    play_well();
    ledger.players[1].notices = 2;
    expect_objection("a parent heard twice of a child");
    ledger.players[1].notices = 0;
    ledger.players[1].parent = 2;
    ledger.players[2].kept_children = false;
    expect_objection("a parent did not hear of a child");
}

Test(random_actors, the_model_objects_to_an_open_question)
{
    play_well();
    ledger.question_count = 1;
    ledger.questions[1].asker = 1;
    ledger.questions[1].has_limit = true;
    ledger.questions[1].answers = 0;
    ledger.players[1].is_gone = false;
    cr_assert_not_null(random_ledger_questions_verdict(&ledger));
}

Test(random_actors, the_model_keeps_the_first_thing_noticed)
{
    play_well();
    random_ledger_wrong(&ledger, "first");
    random_ledger_wrong(&ledger, "second");
    expect_objection("first");
}
