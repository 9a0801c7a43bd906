/* The roster, alone: each rule by hand.
 *
 * Past 500 lines: the hand that drives the roster is needed by each rule. */
#include "troupe/roster.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

/* ---- an allocator that can refuse, and counts ---- */

struct heap {
    long out;     /* blocks not given back */
    bool refuses; /* every request */
};

static void *heap_alloc(void *context, size_t size)
{
    struct heap *heap = context;

    if (heap->refuses)
        return NULL;
    heap->out++;
    return malloc(size);
}

static void heap_free(void *context, void *memory, size_t size)
{
    (void)size;
    ((struct heap *)context)->out--;
    free(memory);
}

/* ---- a roster and a hand that drives it ---- */

struct rig {
    struct heap heap;
    th_allocator allocator;
    struct thi_roster roster;
    uint64_t now;
    uint32_t spawned; /* so far: the slot of the next address */
    uint32_t last;    /* index of the worker spawned last */
    th_addr addr[64]; /* by index, of the worker there now */
    uint64_t id[64];  /* the job it was given last */
    long given[64];   /* and what that was */
    int log_count;
    struct thi_roster_action log[256];
};

static const struct thi_roster_limits four = { .workers_max = 4,
                                               .idle_max = 2,
                                               .pending_max = 3,
                                               .kills_max = 3,
                                               .linger_ns = 1000,
                                               .backoff_min_ns = 10,
                                               .backoff_max_ns = 80 };

static void rig_init(struct rig *rig, const struct thi_roster_limits *limits)
{
    memset(rig, 0, sizeof(*rig));
    rig->allocator = (th_allocator){ heap_alloc, heap_free, &rig->heap };
    rig->now = 5;
    thi_roster_init(&rig->roster, &rig->allocator, limits);
}

static void rig_fini(struct rig *rig)
{
    bool sent;

    while (rig->roster.pending || rig->roster.busy)
        thi_roster_clear(&rig->roster, &sent);
    while (thi_roster_strike(&rig->roster))
        ;
    cr_assert_eq(rig->roster.live, 0);
    thi_roster_fini(&rig->roster);
    cr_assert_eq(rig->heap.out, 0, "%ld blocks leaked", rig->heap.out);
}

static void rig_drain(struct rig *rig)
{
    struct thi_roster_action action = { 0 };

    while (thi_roster_next(&rig->roster, rig->now, &action)) {
        cr_assert_lt(rig->log_count, 256, "actions without end");
        rig->log[rig->log_count++] = action;
        if (action.what == THI_ROSTER_SPAWN) {
            rig->last = action.index;
            rig->addr[action.index] = (th_addr){ 7, ++rig->spawned, 1 };
            thi_roster_spawned(&rig->roster, action.index, rig->addr[action.index], rig);
        } else if (action.what == THI_ROSTER_GIVE) {
            rig->id[action.index] = action.id;
            rig->given[action.index] = (long)(intptr_t)action.work;
        }
    }
}

static int rig_count(const struct rig *rig, enum thi_roster_do what)
{
    int count = 0;

    for (int i = 0; i < rig->log_count; i++)
        count += rig->log[i].what == what;
    return count;
}

static void rig_job(struct rig *rig, long work)
{
    cr_assert_eq(thi_roster_job(&rig->roster, (void *)(intptr_t)work), THI_ROSTER_TAKEN);
    rig_drain(rig);
}

static void rig_ready(struct rig *rig, uint32_t index)
{
    thi_roster_ready(&rig->roster, index, rig->addr[index], rig->now);
    rig_drain(rig);
}

static long rig_done(struct rig *rig, uint32_t index)
{
    void *work =
        thi_roster_done(&rig->roster, index, rig->addr[index], rig->id[index], false, rig->now);

    rig_drain(rig);
    return (long)(intptr_t)work;
}

static void *rig_dropped(struct rig *rig, uint32_t index)
{
    void *work =
        thi_roster_dropped(&rig->roster, index, rig->addr[index], rig->id[index], rig->now);

    rig_drain(rig);
    return work;
}

/* Its end, last word included. */
static long rig_exit(struct rig *rig, uint32_t index, bool failed)
{
    void *work;

    cr_assert_not_null(thi_roster_farewell(&rig->roster, rig->addr[index]));
    rig_drain(rig);
    work = thi_roster_exited(&rig->roster, index, rig->addr[index], failed, rig->now);
    rig_drain(rig);
    return (long)(intptr_t)work;
}

static void rig_wait(struct rig *rig, uint64_t ns)
{
    rig->now += ns;
    if (rig->now >= rig->roster.armed_ns)
        thi_roster_timer(&rig->roster);
    rig_drain(rig);
}

/* @count workers with a job each, which are 1 to @count. */
static void rig_busy(struct rig *rig, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        rig_job(rig, i + 1);
        rig_ready(rig, i);
    }
    cr_assert_eq(rig->roster.busy, count);
}

static void conserved(const struct thi_roster *roster)
{
    const struct thi_roster_counts *counts = &roster->counts;

    cr_assert_eq(counts->jobs, counts->done + counts->poisoned + counts->refused +
                                   roster->pending_count + roster->busy);
}

/* ---- giving ---- */

Test(roster, sends_a_job_only_once_its_new_worker_is_ready)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_job(&rig, 1);
    cr_assert_eq(rig.log_count, 1);
    cr_assert_eq(rig.log[0].what, THI_ROSTER_SPAWN);
    rig_ready(&rig, 0);
    cr_assert_eq(rig.log_count, 2);
    cr_assert_eq(rig.log[1].what, THI_ROSTER_GIVE);
    cr_assert_eq(rig.given[0], 1);
    rig_fini(&rig);
}

Test(roster, gives_a_null_job_like_any_other)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_job(&rig, 0);
    rig_ready(&rig, 0);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_GIVE), 1);
    cr_assert_eq(rig.roster.busy, 1);
    rig_done(&rig, 0);
    cr_assert_eq(rig.roster.counts.done, 1);
    rig_fini(&rig);
}

Test(roster, grows_to_the_limit_then_lets_jobs_wait)
{
    struct rig rig;

    rig_init(&rig, &four);
    for (long job = 1; job <= 6; job++)
        rig_job(&rig, job);
    cr_assert_eq(rig.roster.live, 4);
    cr_assert_eq(rig.roster.pending_count, 2);
    conserved(&rig.roster);
    rig_fini(&rig);
}

Test(roster, refuses_past_the_pending_bound_and_counts_it)
{
    struct rig rig;

    rig_init(&rig, &four);
    for (long job = 1; job <= 7; job++)
        rig_job(&rig, job);
    cr_assert_eq(thi_roster_job(&rig.roster, &rig), THI_ROSTER_FULL);
    cr_assert_eq(rig.roster.counts.refused, 1);
    cr_assert_eq(rig.roster.pending_count, 3);
    conserved(&rig.roster);
    rig_fini(&rig);
}

Test(roster, serves_waiting_jobs_in_order)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 4);
    rig_job(&rig, 5);
    rig_job(&rig, 6);
    cr_assert_eq(rig_done(&rig, 2), 3);
    cr_assert_eq(rig.given[2], 5);
    cr_assert_eq(rig_done(&rig, 0), 1);
    cr_assert_eq(rig.given[0], 6);
    rig_fini(&rig);
}

Test(roster, takes_the_idle_in_turn)
{
    struct thi_roster_limits limits = four;
    struct rig rig;

    limits.idle_max = 4;
    rig_init(&rig, &limits);
    rig_busy(&rig, 4);
    for (uint32_t i = 0; i < 4; i++)
        rig_done(&rig, i);
    for (int job = 0; job < 20; job++) {
        uint32_t turn = (uint32_t)job % 4;

        rig_job(&rig, 100 + job);
        cr_assert_eq(rig.given[turn], 100 + job);
        rig_done(&rig, turn);
    }
    cr_assert_eq(rig_count(&rig, THI_ROSTER_SPAWN), 4);
    rig_fini(&rig);
}

Test(roster, ignores_reports_that_do_not_fit)
{
    th_addr other = { 9, 9, 9 };
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 1);
    cr_assert_null(thi_roster_done(&rig.roster, 0, rig.addr[0], rig.id[0] + 1, false, rig.now));
    cr_assert_null(thi_roster_done(&rig.roster, 0, other, rig.id[0], false, rig.now));
    cr_assert_null(thi_roster_done(&rig.roster, 1000, rig.addr[0], rig.id[0], false, rig.now));
    cr_assert_null(thi_roster_farewell(&rig.roster, other));
    cr_assert_eq(rig.roster.busy, 1);
    cr_assert_eq(rig_done(&rig, 0), 1);
    cr_assert_eq(rig_done(&rig, 0), 0, "done twice");
    cr_assert_eq(rig.roster.counts.done, 1);
    rig_fini(&rig);
}

/* ---- lingering ---- */

Test(roster, lets_workers_past_the_idle_floor_linger_then_leave)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 4);
    for (uint32_t i = 0; i < 4; i++)
        rig_done(&rig, i);
    cr_assert_eq(rig.roster.idle.count, 2);
    cr_assert_eq(rig.roster.lingering.count, 2);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_ARM), 1, "one timer");
    cr_assert_eq(rig.log[rig.log_count - 1].delay_ns, 1000);
    rig_wait(&rig, 999);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_DISMISS), 0);
    rig_wait(&rig, 1);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_DISMISS), 2);
    rig_exit(&rig, 2, false);
    rig_exit(&rig, 3, false);
    cr_assert_eq(rig.roster.live, 2);
    cr_assert_eq(rig.roster.counts.deaths, 0, "who is dismissed has not died");
    rig_fini(&rig);
}

Test(roster, keeps_a_lingering_worker_that_is_used)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 3);
    for (uint32_t i = 0; i < 3; i++)
        rig_done(&rig, i);
    for (long job = 10; job < 13; job++)
        rig_job(&rig, job);
    cr_assert_eq(rig.given[2], 12);
    rig_wait(&rig, 1000);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_DISMISS), 0);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_SPAWN), 3);
    rig_fini(&rig);
}

Test(roster, gives_no_job_to_a_worker_that_was_dismissed)
{
    struct thi_roster_limits limits = four;
    struct rig rig;

    limits.workers_max = 2;
    limits.idle_max = 1;
    rig_init(&rig, &limits);
    rig_busy(&rig, 2);
    rig_done(&rig, 0);
    rig_done(&rig, 1);
    rig_wait(&rig, 1000);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_DISMISS), 1);
    rig_job(&rig, 3);
    rig_job(&rig, 4);
    cr_assert_eq(rig.given[0], 3);
    cr_assert_eq(rig.given[1], 2, "the leaving one got a job");
    cr_assert_eq(rig.roster.pending_count, 1);
    rig_exit(&rig, 1, false);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_SPAWN), 3, "its place is free at once");
    rig_fini(&rig);
}

Test(roster, dismisses_again_who_could_not_be_asked)
{
    struct thi_roster_limits limits = four;
    struct thi_roster_action action;
    struct rig rig;

    limits.idle_max = 1;
    rig_init(&rig, &limits);
    rig_busy(&rig, 2);
    rig_done(&rig, 0);
    rig_done(&rig, 1);
    rig.now += 1000;
    thi_roster_timer(&rig.roster);
    cr_assert(thi_roster_next(&rig.roster, rig.now, &action));
    cr_assert_eq(action.what, THI_ROSTER_DISMISS);
    thi_roster_undismissed(&rig.roster, action.index, rig.now);
    rig_drain(&rig);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_DISMISS), 0);
    rig_wait(&rig, 1000);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_DISMISS), 1);
    rig_fini(&rig);
}

/* ---- deaths ---- */

Test(roster, tries_the_job_of_a_dead_worker_again_before_all_others)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 4);
    rig_job(&rig, 5);
    cr_assert_eq(rig_exit(&rig, 1, true), 0);
    cr_assert_eq(rig.roster.counts.retried, 1);
    rig_done(&rig, 3);
    cr_assert_eq(rig.given[3], 2, "not the job that waited longer in the queue");
    conserved(&rig.roster);
    rig_fini(&rig);
}

Test(roster, replaces_the_dead_only_after_a_pause_that_doubles)
{
    static const uint64_t pauses[] = { 10, 20, 40, 80, 80 };
    struct thi_roster_limits limits = four;
    struct rig rig;

    limits.kills_max = 100;
    rig_init(&rig, &limits);
    rig_job(&rig, 1);
    for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
        rig.log_count = 0;
        cr_assert_eq(rig_exit(&rig, rig.last, true), 0);
        cr_assert_eq(rig.log_count, 1);
        cr_assert_eq(rig.log[0].what, THI_ROSTER_ARM);
        cr_assert_eq(rig.log[0].delay_ns, pauses[i]);
        rig_wait(&rig, pauses[i] - 1);
        cr_assert_eq(rig.log_count, 1, "spawned too early");
        rig_wait(&rig, 1);
        cr_assert_eq(rig.log_count, 2);
        cr_assert_eq(rig.log[1].what, THI_ROSTER_SPAWN);
    }
    rig_ready(&rig, rig.last);
    rig_done(&rig, rig.last);
    rig_job(&rig, 2);
    cr_assert_null(rig_dropped(&rig, rig.last));
    cr_assert_eq(rig.log[rig.log_count - 1].what, THI_ROSTER_ARM);
    cr_assert_eq(rig.log[rig.log_count - 1].delay_ns, 10, "a job done starts the doubling over");
    rig_fini(&rig);
}

Test(roster, a_job_done_cuts_a_long_pause_short)
{
    struct thi_roster_limits limits = four;
    struct rig rig;

    limits.kills_max = 100;
    limits.backoff_max_ns = 1000000;
    rig_init(&rig, &limits);
    rig_busy(&rig, 2);
    for (int i = 0; i < 12; i++) {
        rig_exit(&rig, rig.last, true);
        rig_wait(&rig, rig.roster.spawn_after_ns - rig.now);
    }
    rig_exit(&rig, rig.last, true);
    cr_assert_gt(rig.roster.spawn_after_ns, rig.now + 1000);
    rig_done(&rig, 0);
    cr_assert_eq(rig.roster.spawn_after_ns, rig.now + 10);
    rig_fini(&rig);
}

Test(roster, a_job_is_poison_after_as_many_deaths_as_allowed)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_job(&rig, 41);
    for (int i = 1; i < 3; i++) {
        rig_ready(&rig, rig.last);
        cr_assert_eq(rig_exit(&rig, rig.last, false), 0);
        rig_wait(&rig, 100);
    }
    rig_ready(&rig, rig.last);
    cr_assert_eq(rig_exit(&rig, rig.last, false), 41);
    cr_assert_eq(rig.roster.counts.poisoned, 1);
    cr_assert_eq(rig.roster.counts.retried, 2);
    cr_assert_eq(rig.roster.counts.deaths, 3);
    cr_assert_eq(rig.roster.live, 0);
    conserved(&rig.roster);
    rig_fini(&rig);
}

Test(roster, a_spawn_that_fails_counts_against_the_job)
{
    struct thi_roster_action action;
    void *work = NULL;
    struct rig rig;

    rig_init(&rig, &four);
    cr_assert_eq(thi_roster_job(&rig.roster, &rig), THI_ROSTER_TAKEN);
    for (int i = 0; i < 3; i++) {
        cr_assert_null(work);
        cr_assert(thi_roster_next(&rig.roster, rig.now, &action));
        cr_assert_eq(action.what, THI_ROSTER_SPAWN);
        work = thi_roster_unspawned(&rig.roster, action.index, rig.now);
        rig.now += 1000;
    }
    cr_assert_eq(work, &rig);
    cr_assert_eq(rig.roster.counts.deaths, 0);
    conserved(&rig.roster);
    rig_fini(&rig);
}

Test(roster, a_worker_that_did_other_jobs_and_leaves_has_not_died_of_the_next)
{
    struct thi_roster_limits limits = four;
    struct rig rig;

    limits.workers_max = 1;
    limits.idle_max = 1;
    limits.kills_max = 1;
    rig_init(&rig, &limits);
    rig_busy(&rig, 1);
    for (int i = 0; i < 50; i++) {
        rig_job(&rig, 2 + i);
        rig_done(&rig,
                 rig.last); /* and is given the next at once, but ends before it begins that */
        cr_assert_eq(rig_exit(&rig, rig.last, false), 0);
        rig_ready(&rig, rig.last); /* its successor, without a pause */
    }
    cr_assert_eq(rig.roster.counts.poisoned, 0);
    cr_assert_eq(rig.roster.counts.done, 50);
    conserved(&rig.roster);
    rig_fini(&rig);
}

Test(roster, a_dropped_job_goes_to_its_worker_again_when_that_is_back)
{
    struct thi_roster_limits limits = four;
    struct rig rig;

    limits.workers_max = 1;
    limits.idle_max = 1;
    rig_init(&rig, &limits);
    rig_busy(&rig, 1);
    cr_assert_null(rig_dropped(&rig, 0));
    cr_assert_eq(rig.roster.pending_count, 1);
    rig_ready(&rig, 0);
    cr_assert_eq(rig.given[0], 1);
    cr_assert_eq(rig.roster.busy, 1);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_SPAWN), 1);
    rig_fini(&rig);
}

Test(roster, one_death_pauses_once_though_it_is_told_twice)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 1);
    cr_assert_null(rig_dropped(&rig, 0));
    cr_assert_eq(rig_exit(&rig, 0, true), 0);
    cr_assert_eq(rig.roster.spawn_after_ns, rig.now + 10);
    cr_assert_eq(rig.roster.counts.deaths, 1);
    cr_assert_eq(rig.roster.counts.retried, 1);
    rig_fini(&rig);
}

Test(roster, a_worker_that_stops_after_its_job_gets_no_other)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 1);
    cr_assert_not_null(thi_roster_done(&rig.roster, 0, rig.addr[0], rig.id[0], true, rig.now));
    rig_drain(&rig);
    rig_job(&rig, 2);
    cr_assert_eq(rig.given[0], 1);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_SPAWN), 2);
    cr_assert_eq(rig_exit(&rig, 0, false), 0);
    cr_assert_eq(rig.roster.counts.retried, 0);
    cr_assert_eq(rig.roster.spawn_after_ns, 0, "a pause without a death");
    rig_fini(&rig);
}

Test(roster, a_failed_job_frees_its_worker_unless_that_stops)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 2);
    cr_assert_not_null(thi_roster_failed(&rig.roster, 0, rig.addr[0], rig.id[0], false, rig.now));
    cr_assert_not_null(thi_roster_failed(&rig.roster, 1, rig.addr[1], rig.id[1], true, rig.now));
    rig_drain(&rig);
    cr_assert_eq(rig.roster.idle.count, 1);
    rig_job(&rig, 8);
    rig_job(&rig, 9);
    cr_assert_eq(rig.given[0], 8);
    cr_assert_eq(rig.given[1], 2, "a stopping worker got a job");
    cr_assert_eq(rig.roster.counts.poisoned, 2);
    conserved(&rig.roster);
    rig_fini(&rig);
}

Test(roster, what_a_gone_worker_had_reported_still_counts)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 1);
    cr_assert_not_null(thi_roster_farewell(&rig.roster, rig.addr[0]));
    cr_assert(thi_roster_talkative(&rig.roster, 0));
    cr_assert_eq(rig_done(&rig, 0), 1);
    rig_job(&rig, 2);
    cr_assert_eq(rig.given[0], 1, "a dead worker got a job");
    cr_assert_null(thi_roster_exited(&rig.roster, 0, rig.addr[0], false, rig.now));
    cr_assert_eq(rig.roster.counts.retried, 0);
    cr_assert_eq(rig.roster.counts.done, 1);
    conserved(&rig.roster);
    rig_fini(&rig);
}

Test(roster, an_unsent_job_is_out_and_its_worker_idle)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 1);
    cr_assert_not_null(thi_roster_unsent(&rig.roster, 0, rig.now));
    cr_assert_eq(rig.roster.idle.count, 1);
    cr_assert_eq(rig.roster.counts.poisoned, 1);
    conserved(&rig.roster);
    rig_fini(&rig);
}

/* ---- limits ---- */

Test(roster, a_raised_limit_is_used_at_once)
{
    struct rig rig;

    rig_init(&rig, &four);
    for (long job = 1; job <= 7; job++)
        rig_job(&rig, job);
    cr_assert(thi_roster_set(&rig.roster, 6, 0, 0, rig.now));
    rig_drain(&rig);
    cr_assert_eq(rig.roster.live, 6);
    cr_assert_eq(rig.roster.pending_count, 1);
    rig_fini(&rig);
}

Test(roster, a_lowered_limit_takes_effect_as_workers_finish)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig_busy(&rig, 4);
    rig_job(&rig, 5);
    cr_assert(thi_roster_set(&rig.roster, 2, 0, 0, rig.now));
    rig_drain(&rig);
    cr_assert_eq(rig.roster.busy, 4);
    rig_done(&rig, 0);
    cr_assert_eq(rig.roster.leaving, 1, "given the waiting job instead of dismissed");
    rig_done(&rig, 1);
    cr_assert_eq(rig.roster.leaving, 2);
    rig_done(&rig, 2);
    cr_assert_eq(rig.given[2], 5);
    rig_fini(&rig);
}

Test(roster, a_lowered_idle_floor_has_the_rest_linger)
{
    struct thi_roster_limits limits = four;
    struct rig rig;

    limits.idle_max = 4;
    rig_init(&rig, &limits);
    rig_busy(&rig, 4);
    for (uint32_t i = 0; i < 4; i++)
        rig_done(&rig, i);
    cr_assert(thi_roster_set(&rig.roster, 0, 1, 0, rig.now));
    rig_drain(&rig);
    cr_assert_eq(rig.roster.idle.count, 1);
    cr_assert_eq(rig.roster.lingering.count, 3);
    rig_fini(&rig);
}

Test(roster, limits_that_make_no_sense_change_nothing)
{
    struct rig rig;

    rig_init(&rig, &four);
    cr_assert_not(thi_roster_set(&rig.roster, 3, 5, 9, rig.now));
    cr_assert_eq(rig.roster.limits.workers_max, 4);
    cr_assert_eq(rig.roster.limits.idle_max, 2);
    cr_assert_eq(rig.roster.limits.pending_max, 3);
    cr_assert(thi_roster_set(&rig.roster, 1, 0, 0, rig.now));
    cr_assert_eq(rig.roster.limits.idle_max, 2, "zero left it");
    rig_fini(&rig);
}

/* ---- memory ---- */

Test(roster, without_memory_a_job_is_not_taken)
{
    struct rig rig;

    rig_init(&rig, &four);
    rig.heap.refuses = true;
    cr_assert_eq(thi_roster_job(&rig.roster, &rig), THI_ROSTER_NOMEM);
    cr_assert_eq(rig.roster.counts.jobs, 0);
    rig_fini(&rig);
}

Test(roster, without_memory_for_a_worker_the_job_waits_for_the_pause)
{
    struct rig rig;

    rig_init(&rig, &four);
    cr_assert_eq(thi_roster_job(&rig.roster, &rig), THI_ROSTER_TAKEN);
    rig.heap.refuses = true;
    rig_drain(&rig);
    cr_assert_eq(rig.roster.pending_count, 1);
    cr_assert_eq(rig.log[rig.log_count - 1].what, THI_ROSTER_ARM);
    rig.heap.refuses = false;
    rig_wait(&rig, 10);
    cr_assert_eq(rig_count(&rig, THI_ROSTER_SPAWN), 1);
    rig_fini(&rig);
}

Test(roster, gives_the_memory_of_a_burst_back)
{
    struct thi_roster_limits limits = four;
    struct rig rig;

    limits.pending_max = 5000;
    limits.workers_max = 1;
    limits.idle_max = 1;
    rig_init(&rig, &limits);
    rig_busy(&rig, 1);
    for (long job = 0; job < 5000; job++)
        cr_assert_eq(thi_roster_job(&rig.roster, &rig), THI_ROSTER_TAKEN);
    for (long job = 0; job < 5001; job++) {
        rig.log_count = 0;
        rig_done(&rig, 0);
    }
    cr_assert_eq(rig.roster.busy, 0);
    cr_assert_lt(rig.heap.out, 300);
    rig_fini(&rig);
}
