/* One system, round after round of random actors: nothing is lost, and nothing grows. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <criterion/criterion.h>

#include <thespis/config.h>
#include <thespis/testkit.h>

#include "tests/support/random_actors.h"
#include "tests/support/system.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MINUTES_A_DAY = 144, SECONDS_SHORT = 3 };
#else
enum { MINUTES_A_DAY = 1440, SECONDS_SHORT = 5 };
#endif

enum { THREADS = 16, SLACK = 4 * 1024 * 1024 + THREADS * TH_TRACE_EVENTS * 64 };

static struct random_ledger ledger;

static unsigned count_entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned count = 0;

    cr_assert_not_null(dir, "no %s", path);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* What a system has and uses when nothing goes on in it. */
struct still {
    uint64_t actors, bytes;
    unsigned descriptors, threads;
};

static struct still look(struct test_system *ts)
{
    struct still still = { .descriptors = count_entries("/proc/self/fd"),
                           .threads = count_entries("/proc/self/task") };
    th_system_status status;

    do /* the last messages may be on their way still */
        cr_assert_eq(th_system_status_read(ts->sys, &status), TH_OK);
    while (status.counts.accepted != status.counts.handled + status.counts.dead);
    still.actors = status.actors;
    still.bytes = status.memory_bytes;
    return still;
}

static void play(struct test_system *ts, struct random_plan plan, uint64_t round)
{
    const char *wrong;

    plan.openings = 4 + (uint32_t)(round % 61);
    plan.fuel = 2 + (uint32_t)(round % 7);
    wrong = random_actors_play(ts->sys, &plan, &ledger);
    cr_assert_null(wrong, "round %llu: %s", (unsigned long long)round, wrong);
}

/* What was needed once is kept for the next time, so a system grows to what its busiest moment
 * needed, a few megabytes, to a ring for each thread that is traced, to a spare thread for each of
 * four workers, and to a poller's thread and two descriptors with the first watch; how soon, chance
 * says. What leaks grows with every round, and there are thousands a minute. */
static void expect_flat(const struct still *early, const struct still *late, const char *when)
{
    cr_assert_eq(late->actors, early->actors, "%s: %llu actors, then %llu", when,
                 (unsigned long long)early->actors, (unsigned long long)late->actors);
    cr_assert_leq(late->bytes, early->bytes * 2 + SLACK, "%s: %llu bytes, then %llu", when,
                  (unsigned long long)early->bytes, (unsigned long long)late->bytes);
    cr_assert_leq(late->descriptors, early->descriptors + 2, "%s: %u descriptors, then %u", when,
                  early->descriptors, late->descriptors);
    cr_assert_leq(late->threads, early->threads + 5, "%s: %u threads, then %u", when,
                  early->threads, late->threads);
}

Test(soak, a_day_of_virtual_time, .timeout = 580)
{
    struct test_system ts = test_system_open(TH_BASE_SIMPLE, 41);
    struct still early = { 0 }, late;
    uint64_t now = 0;

    for (uint64_t minute = 1; minute <= MINUTES_A_DAY; minute++) {
        play(&ts, (struct random_plan){ .base = TH_BASE_SIMPLE }, minute);
        cr_assert_eq(th_virtual_now(ts.sys, &now), TH_OK);
        if (now < minute * TH_S(60))
            cr_assert_eq(th_advance(ts.sys, minute * TH_S(60) - now), TH_OK);
        if (minute == MINUTES_A_DAY / 8)
            early = look(&ts);
    }
    late = look(&ts);
    expect_flat(&early, &late, "a day");
    cr_assert_eq(th_virtual_now(ts.sys, &now), TH_OK);
    cr_assert_geq(now, MINUTES_A_DAY * TH_S(60));
    test_system_close(&ts);
}

static uint64_t seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

static void report(struct test_system *ts, uint64_t seconds, uint64_t rounds)
{
    struct still still = look(ts);
    th_counts counts = test_system_counts(ts);

    fprintf(stderr,
            "soak: %llu s, %llu rounds, %llu messages, %llu dead; %llu bytes, %u descriptors, "
            "%u threads\n",
            (unsigned long long)seconds, (unsigned long long)rounds,
            (unsigned long long)counts.accepted, (unsigned long long)counts.dead,
            (unsigned long long)still.bytes, still.descriptors, still.threads);
}

Test(soak, under_load, .timeout = 90000)
{
    const char *minutes = getenv("TH_SOAK_MINUTES");
    uint64_t length = minutes ? strtoull(minutes, NULL, 10) * 60 : SECONDS_SHORT;
    struct test_system ts = test_system_open_with(&(th_options){ .workers = 4 });
    uint64_t begun = seconds_now(), said = begun, rounds = 0;
    struct still early = { 0 }, late;

    while (seconds_now() - begun < length) {
        play(&ts, (struct random_plan){ .base = TH_BASE_POOL }, ++rounds);
        if (early.bytes == 0 && seconds_now() - begun >= length / 8)
            early = look(&ts);
        if (minutes && seconds_now() - said >= 60) {
            said = seconds_now();
            report(&ts, said - begun, rounds);
        }
    }
    late = look(&ts);
    expect_flat(&early, &late, "the whole time");
    cr_assert_gt(rounds, 10u);
    test_system_close(&ts);
}
