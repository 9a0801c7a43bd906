/* Counters: one writer each, or several. */
#include "runtime/base/stats.h"

#include <criterion/criterion.h>

#include <pthread.h>

enum { ROUNDS = 200000, THREADS = 4 };

static struct thi_stats shared;
static _Atomic int ready;

Test(stats, add_up)
{
    static struct thi_stats one, two;
    uint64_t totals[THI_STAT_COUNT] = { 0 };

    thi_stats_add(&one, THI_STAT_HANDLED, 3);
    thi_stats_add(&one, THI_STAT_HANDLED, 1);
    thi_stats_add(&two, THI_STAT_HANDLED, 10);
    thi_stats_add_dead(&two, TH_DEAD_FULL, 2);
    thi_stats_sum(&one, totals);
    thi_stats_sum(&two, totals);
    for (unsigned i = 0; i < THI_STAT_COUNT; i++) {
        uint64_t expected = i == THI_STAT_HANDLED                       ? 14
                            : i == THI_STAT_DEAD                        ? 2
                            : i == THI_STAT_DEAD_REASONS + TH_DEAD_FULL ? 2
                                                                        : 0;

        cr_assert_eq(totals[i], expected, "count %u", i);
    }
}

Test(stats, of_two_workers_share_no_cache_line)
{
    cr_assert_eq(_Alignof(struct thi_stats), TH_CACHE_LINE);
    cr_assert_eq(sizeof(struct thi_stats) % TH_CACHE_LINE, 0);
}

static void *count(void *unused)
{
    atomic_fetch_add(&ready, 1);
    while (atomic_load(&ready) < THREADS) /* or one would be through before the next begins */
        ;
    for (int i = 0; i < ROUNDS; i++)
        thi_stats_add_dead_shared(&shared, TH_DEAD_LATE, 1);
    return unused;
}

Test(stats, shared_ones_lose_nothing)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    cr_assert_eq(thi_stats_get(&shared, THI_STAT_DEAD), ROUNDS * THREADS);
    cr_assert_eq(thi_stats_get(&shared, THI_STAT_DEAD_REASONS + TH_DEAD_LATE), ROUNDS * THREADS);
}

/* One writer, while another thread reads: no race, and no figure ever falls. */
static void *write_alone(void *unused)
{
    for (int i = 0; i < ROUNDS; i++)
        thi_stats_add(&shared, THI_STAT_TURNS, 1);
    return unused;
}

Test(stats, can_be_read_while_they_are_written)
{
    uint64_t before = thi_stats_get(&shared, THI_STAT_TURNS), last = before;
    pthread_t writer;

    cr_assert_eq(pthread_create(&writer, NULL, write_alone, NULL), 0);
    while (last < before + ROUNDS) {
        uint64_t seen = thi_stats_get(&shared, THI_STAT_TURNS);

        cr_assert_geq(seen, last);
        last = seen;
    }
    cr_assert_eq(pthread_join(writer, NULL), 0);
    cr_assert_eq(last, before + ROUNDS);
}
