/* stats.h: counters that cost an increment, summed when somebody asks.
 *
 * Each worker has a struct of its own and is its only writer, so adding is a load and a store, no
 * read-modify-write and no shared line. Where a struct has several writers (endpoints' threads),
 * they all use thi_stats_add_shared(). A reader sums over all structs; figures of a running system
 * are a moment apart, and exact once it is quiet, because whoever waited for quiet synchronised
 * with every writer. */
#ifndef THI_BASE_STATS_H
#define THI_BASE_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include <thespis/compiler.h>
#include <thespis/msg.h>

enum thi_stat {
    /* messages; see th_counts in status.h */
    THI_STAT_ACCEPTED,
    THI_STAT_HANDLED,
    THI_STAT_DEAD,
    THI_STAT_FAILED,
    THI_STAT_POISONED,
    THI_STAT_LETTERS_DROPPED,
    THI_STAT_REFUSED,
    THI_STAT_STASHED,
    THI_STAT_UNSTASHED,
    THI_STAT_STASH_REFUSED,
    /* mailboxes with a limit; see th_counts */
    THI_STAT_FULL,
    THI_STAT_HOLDS,
    THI_STAT_HOLD_CIRCLES,
    THI_STAT_HOLDS_MISSED,
    /* life */
    THI_STAT_SPAWNED,
    THI_STAT_EXITED,
    THI_STAT_DEPUTIES_OPENED,
    THI_STAT_DEPUTIES_REFUSED,
    THI_STAT_WAKEUPS_SET,
    THI_STAT_WAKEUPS_FIRED,
    THI_STAT_WAKEUPS_CANCELLED,
    THI_STAT_STALLS,
    THI_STAT_WATCHES,
    THI_STAT_LINKS,
    THI_STAT_GONE_TOLD,
    /* records; see th_log_counts */
    THI_STAT_LOG_ACCEPTED,
    THI_STAT_LOG_WRITTEN,
    THI_STAT_LOG_SUPPRESSED,
    THI_STAT_LOG_DROPPED,
    THI_STAT_LOG_REFUSALS,
    THI_STAT_LOG_LOGGERS,
    THI_STAT_WATCH_MESSAGES,
    /* scheduling; see th_pool_status */
    THI_STAT_TURNS,
    THI_STAT_STEALS,
    THI_STAT_PARKS,
    THI_STAT_WAKES,
    THI_STAT_RESCUES,
    THI_STAT_REST_NS, /* asleep for want of work */
    /* one for each th_dead_reason, in its order */
    THI_STAT_DEAD_REASONS,
    THI_STAT_COUNT = THI_STAT_DEAD_REASONS + TH_DEAD_COUNT
};

struct thi_stats {
    _Alignas(TH_CACHE_LINE) _Atomic uint64_t counts[THI_STAT_COUNT];
};

/* For the only writer of @stats. */
static inline void thi_stats_add(struct thi_stats *stats, unsigned which, uint64_t n)
{
    /* relaxed, both: nobody else writes it, and readers only want a recent figure */
    uint64_t count = atomic_load_explicit(&stats->counts[which], memory_order_relaxed);

    atomic_store_explicit(&stats->counts[which], count + n, memory_order_relaxed);
}

/* For structs with several writers. */
static inline void thi_stats_add_shared(struct thi_stats *stats, unsigned which, uint64_t n)
{
    /* relaxed: a count orders nothing */
    atomic_fetch_add_explicit(&stats->counts[which], n, memory_order_relaxed);
}

/* A dead letter: the total and its reason. */
static inline void thi_stats_add_dead(struct thi_stats *stats, th_dead_reason reason, uint64_t n)
{
    thi_stats_add(stats, THI_STAT_DEAD, n);
    thi_stats_add(stats, THI_STAT_DEAD_REASONS + (unsigned)reason, n);
}

static inline void thi_stats_add_dead_shared(struct thi_stats *stats, th_dead_reason reason,
                                             uint64_t n)
{
    thi_stats_add_shared(stats, THI_STAT_DEAD, n);
    thi_stats_add_shared(stats, THI_STAT_DEAD_REASONS + (unsigned)reason, n);
}

static inline uint64_t thi_stats_get(const struct thi_stats *stats, unsigned which)
{
    /* relaxed: see the top */
    return atomic_load_explicit(&stats->counts[which], memory_order_relaxed);
}

/* Adds every count of @stats to @totals. */
static inline void thi_stats_sum(const struct thi_stats *stats, uint64_t totals[THI_STAT_COUNT])
{
    for (unsigned i = 0; i < THI_STAT_COUNT; i++)
        totals[i] += thi_stats_get(stats, i);
}

#endif
