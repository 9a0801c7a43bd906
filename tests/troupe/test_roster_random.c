/* The roster against a naive twin, over thousands of random events: the rules once more, with
 * tables and searches instead of lists. After each event both must want the same actions, and stand
 * the same.
 *
 * Past 500 lines: the twin is a roster of its own, and of use to nobody else. */
#include "troupe/roster.h"

#include "runtime/base/random.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { PLACES = 64, WAITING_MAX = 400 };

struct job {
    uint64_t id;
    uint32_t kills;
};

struct worker {
    bool here;
    enum thi_roster_state state;
    struct job job; /* id 0: none */
    bool fresh, gone, dropped, dismissed, opening;
    uint64_t rank; /* when it came to rest: the idle and the lingering are in this order */
    uint64_t until;
};

struct twin {
    struct thi_roster_limits limits;
    struct thi_roster_counts counts;
    struct worker workers[PLACES];
    struct job pending[WAITING_MAX];
    size_t pending_count;
    uint64_t ids, ranks, backoff, spawn_after, armed;
};

struct match {
    struct thi_roster roster;
    th_allocator allocator;
    struct twin twin;
    struct thi_random random;
    uint64_t now;
    uint32_t spawned;
    th_addr addr[PLACES];
    uint64_t refuse_spawn, refuse_give, refuse_dismiss; /* of 16 */
    uint64_t calm; /* 1: jobs come faster than they are done; 6: most workers rest */
};

static void *test_alloc(void *context, size_t size)
{
    (void)context;
    return malloc(size);
}

static void test_free(void *context, void *memory, size_t size)
{
    (void)context;
    (void)size;
    free(memory);
}

/* ---- the twin ---- */

static struct worker *first_of(struct twin *twin, enum thi_roster_state state)
{
    struct worker *first = NULL;

    for (int i = 0; i < PLACES; i++) {
        struct worker *worker = &twin->workers[i];

        if (worker->here && worker->state == state && (!first || worker->rank < first->rank))
            first = worker;
    }
    return first;
}

static uint32_t count_of(const struct twin *twin, enum thi_roster_state state)
{
    uint32_t count = 0;

    for (int i = 0; i < PLACES; i++)
        count += twin->workers[i].here && twin->workers[i].state == state;
    return count;
}

static uint32_t count_live(const struct twin *twin)
{
    uint32_t count = 0;

    for (int i = 0; i < PLACES; i++)
        count += twin->workers[i].here;
    return count;
}

static uint32_t count_busy(const struct twin *twin)
{
    uint32_t count = 0;

    for (int i = 0; i < PLACES; i++)
        count += twin->workers[i].here && twin->workers[i].job.id != 0;
    return count;
}

static void pause_twin(struct twin *twin, uint64_t now)
{
    twin->spawn_after = now + twin->backoff;
    twin->backoff *= 2;
    if (twin->backoff > twin->limits.backoff_max_ns)
        twin->backoff = twin->limits.backoff_max_ns;
}

static void rest(struct twin *twin, struct worker *worker, uint64_t now)
{
    worker->rank = ++twin->ranks;
    worker->until = now + twin->limits.linger_ns;
    if (worker->gone)
        worker->state = THI_ROSTER_LEAVING;
    else if (count_of(twin, THI_ROSTER_IDLE) < twin->limits.idle_max)
        worker->state = THI_ROSTER_IDLE;
    else
        worker->state = THI_ROSTER_LINGERING;
}

/* Whether the job is poison now. */
static bool again(struct twin *twin, struct job job, bool killed)
{
    if (killed && ++job.kills >= twin->limits.kills_max) {
        twin->counts.poisoned++;
        return true;
    }
    twin->counts.retried++;
    memmove(&twin->pending[1], &twin->pending[0], twin->pending_count * sizeof(job));
    twin->pending[0] = job;
    twin->pending_count++;
    return false;
}

static struct job take(struct twin *twin)
{
    struct job job = twin->pending[0];

    twin->pending_count--;
    memmove(&twin->pending[0], &twin->pending[1], twin->pending_count * sizeof(job));
    return job;
}

static bool may_spawn(const struct twin *twin)
{
    return twin->pending_count && count_live(twin) < twin->limits.workers_max;
}

static bool wants_timer(struct twin *twin, uint64_t now, struct thi_roster_action *expected)
{
    struct worker *linger = first_of(twin, THI_ROSTER_LINGERING);
    uint64_t wanted = linger ? linger->until : UINT64_MAX;

    if (may_spawn(twin) && twin->spawn_after < wanted)
        wanted = twin->spawn_after;
    if (wanted >= twin->armed)
        return false;
    twin->armed = wanted;
    expected->what = THI_ROSTER_ARM;
    expected->delay_ns = wanted > now ? wanted - now : 0;
    return true;
}

/* What the roster must do next; of a spawn the index is the roster's to choose. */
static bool twin_next(struct twin *twin, uint64_t now, struct thi_roster_action *expected)
{
    struct worker *idle = first_of(twin, THI_ROSTER_IDLE);
    struct worker *linger = first_of(twin, THI_ROSTER_LINGERING);
    struct worker *chosen = NULL;

    for (int i = 0; i < PLACES; i++)
        if (twin->workers[i].here && twin->workers[i].opening)
            chosen = &twin->workers[i];
    expected->what = THI_ROSTER_GIVE;
    if (chosen) {
        chosen->opening = false;
    } else if (count_live(twin) - count_of(twin, THI_ROSTER_LEAVING) > twin->limits.workers_max &&
               (idle || linger)) {
        expected->what = THI_ROSTER_DISMISS;
        chosen = linger ? linger : idle;
    } else if (twin->pending_count && (idle || linger)) {
        chosen = idle ? idle : linger;
        chosen->state = THI_ROSTER_BUSY;
        chosen->job = take(twin);
    } else if (may_spawn(twin) && now >= twin->spawn_after) {
        expected->what = THI_ROSTER_SPAWN;
        return true;
    } else if (linger && linger->until <= now) {
        expected->what = THI_ROSTER_DISMISS;
        chosen = linger;
    } else {
        return wants_timer(twin, now, expected);
    }
    expected->index = (uint32_t)(chosen - twin->workers);
    expected->id = chosen->job.id;
    if (expected->what == THI_ROSTER_DISMISS) {
        chosen->state = THI_ROSTER_LEAVING;
        chosen->dismissed = true;
    }
    return true;
}

/* ---- both ---- */

static uint64_t roll(struct match *match, uint64_t below)
{
    return thi_random_below(&match->random, below);
}

/* A job's pointer is its id, so that one can tell which came out. */
static void out_is(const void *work, uint64_t id)
{
    cr_assert_eq((uint64_t)(uintptr_t)work, id);
}

static void do_spawn(struct match *match, uint32_t index)
{
    struct worker *worker = &match->twin.workers[index];

    cr_assert_not(worker->here, "index %u is taken", index);
    memset(worker, 0, sizeof(*worker));
    worker->here = true;
    worker->fresh = true;
    worker->state = THI_ROSTER_STARTING;
    worker->job = take(&match->twin);
    if (roll(match, 16) < match->refuse_spawn) {
        struct job job = worker->job;
        void *out = thi_roster_unspawned(&match->roster, index, match->now);

        worker->here = false;
        pause_twin(&match->twin, match->now);
        out_is(out, again(&match->twin, job, true) ? job.id : 0);
        return;
    }
    match->addr[index] = (th_addr){ 7, ++match->spawned, 1 };
    thi_roster_spawned(&match->roster, index, match->addr[index], match);
}

static void do_give(struct match *match, const struct thi_roster_action *action)
{
    struct worker *worker = &match->twin.workers[action->index];

    cr_assert(th_addr_equal(action->addr, match->addr[action->index]));
    if (roll(match, 16) >= match->refuse_give)
        return;
    out_is(thi_roster_unsent(&match->roster, action->index, match->now), worker->job.id);
    worker->job.id = 0;
    match->twin.counts.poisoned++;
    rest(&match->twin, worker, match->now);
}

/* Whether to go on. */
static bool do_dismiss(struct match *match, uint32_t index)
{
    if (roll(match, 16) >= match->refuse_dismiss)
        return true;
    match->twin.workers[index].dismissed = false;
    rest(&match->twin, &match->twin.workers[index], match->now);
    thi_roster_undismissed(&match->roster, index, match->now);
    return false;
}

static void drain(struct match *match)
{
    struct thi_roster_action action = { 0 }, expected = { 0 };
    bool any = true;

    for (int rounds = 0; any; rounds++) {
        cr_assert_lt(rounds, 1000, "actions without end");
        any = thi_roster_next(&match->roster, match->now, &action);
        cr_assert_eq(twin_next(&match->twin, match->now, &expected), any);
        if (!any)
            break;
        cr_assert_eq(action.what, expected.what);
        switch (action.what) {
        case THI_ROSTER_SPAWN: do_spawn(match, action.index); break;
        case THI_ROSTER_GIVE:
            cr_assert_eq(action.index, expected.index);
            cr_assert_eq(action.id, expected.id);
            do_give(match, &action);
            break;
        case THI_ROSTER_DISMISS:
            cr_assert_eq(action.index, expected.index);
            if (!do_dismiss(match, action.index))
                return;
            break;
        case THI_ROSTER_ARM: cr_assert_eq(action.delay_ns, expected.delay_ns); break;
        }
    }
    cr_assert(match->roster.pending_count == 0 || match->roster.idle.count == 0,
              "a job waits in vain");
}

static void compare(const struct match *match)
{
    const struct thi_roster *roster = &match->roster;
    const struct thi_roster_counts *counts = &roster->counts;
    const struct twin *twin = &match->twin;
    const struct thi_roster_job *job = roster->pending;

    cr_assert_eq(counts->jobs, counts->done + counts->poisoned + counts->refused +
                                   roster->pending_count + roster->busy);
    cr_assert_eq(memcmp(counts, &twin->counts, sizeof(twin->counts)), 0);
    cr_assert_eq(roster->live, count_live(twin));
    cr_assert_eq(roster->busy, count_busy(twin));
    cr_assert_eq(roster->idle.count, count_of(twin, THI_ROSTER_IDLE));
    cr_assert_eq(roster->lingering.count, count_of(twin, THI_ROSTER_LINGERING));
    cr_assert_eq(roster->leaving, count_of(twin, THI_ROSTER_LEAVING));
    cr_assert_eq(roster->pending_count, twin->pending_count);
    for (size_t i = 0; i < twin->pending_count; i++, job = job->next) {
        cr_assert_eq(job->id, twin->pending[i].id);
        cr_assert_eq(job->kills, twin->pending[i].kills);
    }
    cr_assert_null(job);
}

/* ---- events ---- */

static void job_arrives(struct match *match)
{
    struct twin *twin = &match->twin;
    bool full = twin->pending_count >= twin->limits.pending_max;
    uint64_t id = twin->ids + 1;

    twin->counts.jobs++;
    if (full) {
        twin->counts.refused++;
    } else {
        twin->ids = id;
        twin->pending[twin->pending_count++] = (struct job){ .id = id };
    }
    cr_assert_eq(thi_roster_job(&match->roster, (void *)(uintptr_t)id),
                 full ? THI_ROSTER_FULL : THI_ROSTER_TAKEN);
}

/* Whether that was all, or its last word is to come, some other time. */
static bool say_farewell(struct match *match, uint32_t index)
{
    struct worker *worker = &match->twin.workers[index];
    bool talkative;

    worker->gone = true;
    if (worker->state == THI_ROSTER_IDLE || worker->state == THI_ROSTER_LINGERING)
        worker->state = THI_ROSTER_LEAVING;
    talkative = worker->state != THI_ROSTER_LEAVING;
    cr_assert_eq(thi_roster_farewell(&match->roster, match->addr[index]), match);
    cr_assert_eq(thi_roster_talkative(&match->roster, index), talkative);
    return !talkative;
}

static void worker_exits(struct match *match, uint32_t index)
{
    struct worker *worker = &match->twin.workers[index];
    bool failed = roll(match, 2), killed = failed || worker->fresh;
    struct job job = worker->job;

    if (!worker->here || (!worker->gone && !say_farewell(match, index)))
        return;
    if (!worker->dismissed) {
        match->twin.counts.deaths++;
        if (killed && !worker->dropped)
            pause_twin(&match->twin, match->now);
    }
    worker->here = false;
    if (!job.id || !again(&match->twin, job, killed))
        job.id = 0;
    out_is(thi_roster_exited(&match->roster, index, match->addr[index], failed, match->now),
           job.id);
}

static void reports_ready(struct match *match, uint32_t index)
{
    struct worker *worker = &match->twin.workers[index];

    thi_roster_ready(&match->roster, index, match->addr[index], match->now);
    if (!worker->here || worker->gone)
        return;
    if (worker->state == THI_ROSTER_STARTING) {
        worker->state = THI_ROSTER_BUSY;
        worker->opening = true;
    } else if (worker->state == THI_ROSTER_RESTARTING) {
        worker->dropped = false;
        rest(&match->twin, worker, match->now);
    }
}

static void reports_failed(struct match *match, uint32_t index, uint64_t id, bool fits)
{
    struct worker *worker = &match->twin.workers[index];
    bool stops = roll(match, 4) == 0;

    out_is(thi_roster_failed(&match->roster, index, match->addr[index], id, stops, match->now),
           fits ? id : 0);
    if (!fits)
        return;
    match->twin.counts.poisoned++;
    worker->fresh = false;
    worker->job.id = 0;
    worker->state = THI_ROSTER_LEAVING;
    if (!stops)
        rest(&match->twin, worker, match->now);
}

static void reports_dropped(struct match *match, uint32_t index, uint64_t id, bool fits)
{
    struct worker *worker = &match->twin.workers[index];
    struct job job = worker->job;

    if (fits) {
        worker->job.id = 0;
        worker->state = THI_ROSTER_RESTARTING;
        worker->dropped = true;
        pause_twin(&match->twin, match->now);
        fits = again(&match->twin, job, true);
    }
    out_is(thi_roster_dropped(&match->roster, index, match->addr[index], id, match->now),
           fits ? id : 0);
}

static void reports_done(struct match *match, uint32_t index, uint64_t id, bool fits)
{
    struct twin *twin = &match->twin;
    struct worker *worker = &twin->workers[index];
    bool stops = roll(match, 8) == 0;

    out_is(thi_roster_done(&match->roster, index, match->addr[index], id, stops, match->now),
           fits ? id : 0);
    if (!fits)
        return;
    twin->counts.done++;
    worker->fresh = false;
    worker->job.id = 0;
    twin->backoff = twin->limits.backoff_min_ns;
    if (twin->spawn_after > match->now + twin->backoff)
        twin->spawn_after = match->now + twin->backoff;
    worker->state = THI_ROSTER_LEAVING;
    if (!stops)
        rest(twin, worker, match->now);
}

/* Some news of the worker at @index, fitting or not. */
static void worker_reports(struct match *match, uint32_t index)
{
    struct worker *worker = &match->twin.workers[index];
    uint64_t id = roll(match, 8) ? worker->job.id : roll(match, 50);
    bool fits = worker->here && worker->state == THI_ROSTER_BUSY && id && worker->job.id == id;

    switch (roll(match, 6)) {
    case 0:
    case 1: reports_ready(match, index); break;
    case 2: reports_failed(match, index, id, fits); break;
    case 3: reports_dropped(match, index, id, fits); break;
    default: reports_done(match, index, id, fits); break;
    }
}

static void limits_change(struct match *match)
{
    struct twin *twin = &match->twin;
    uint32_t workers = (uint32_t)roll(match, 9), idle = (uint32_t)roll(match, 5);
    uint32_t pending = (uint32_t)roll(match, 12);
    struct thi_roster_limits limits = twin->limits;
    bool sense;

    limits.workers_max = workers ? workers : limits.workers_max;
    limits.pending_max = pending ? pending : limits.pending_max;
    limits.idle_max = idle ? idle : limits.idle_max;
    sense = idle <= limits.workers_max;
    cr_assert_eq(thi_roster_set(&match->roster, workers, idle, pending, match->now), sense);
    if (!sense)
        return;
    twin->limits = limits;
    while (count_of(twin, THI_ROSTER_IDLE) > limits.idle_max) {
        struct worker *last = NULL;

        for (int i = 0; i < PLACES; i++) {
            struct worker *worker = &twin->workers[i];

            if (worker->here && worker->state == THI_ROSTER_IDLE &&
                (!last || worker->rank > last->rank))
                last = worker;
        }
        last->state = THI_ROSTER_LEAVING; /* not idle, while it looks for its place */
        rest(twin, last, match->now);
    }
}

static void event(struct match *match)
{
    uint32_t index = (uint32_t)roll(match, 10);

    match->now += roll(match, 4) ? 0 : roll(match, 30);
    if (match->now >= match->twin.armed) {
        match->twin.armed = UINT64_MAX;
        thi_roster_timer(&match->roster);
    }
    switch (roll(match, 16)) {
    case 0:
    case 1:
    case 2:
    case 3:
        if (roll(match, match->calm) == 0)
            job_arrives(match);
        break;
    case 4: worker_exits(match, index); break;
    case 5:
        if (roll(match, 3) == 0)
            limits_change(match);
        break;
    default: worker_reports(match, index); break;
    }
    drain(match);
    compare(match);
}

static void play(struct match *match, uint64_t seed, int events)
{
    const struct thi_roster_limits limits = { .workers_max = 4,
                                              .idle_max = 2,
                                              .pending_max = 6,
                                              .kills_max = 3,
                                              .linger_ns = 40,
                                              .backoff_min_ns = 10,
                                              .backoff_max_ns = 80 };
    bool sent;

    memset(match, 0, sizeof(*match));
    thi_random_init(&match->random, seed);
    match->refuse_spawn = roll(match, 2) * 2;
    match->refuse_give = roll(match, 2);
    match->refuse_dismiss = roll(match, 2) * 4;
    match->calm = 1 + roll(match, 6);
    match->allocator = (th_allocator){ test_alloc, test_free, NULL };
    thi_roster_init(&match->roster, &match->allocator, &limits);
    match->twin.limits = limits;
    match->twin.backoff = limits.backoff_min_ns;
    match->twin.armed = UINT64_MAX;
    for (int i = 0; i < events; i++)
        event(match);
    cr_assert_gt(match->roster.counts.done, 0);
    while (thi_roster_clear(&match->roster, &sent))
        ;
    while (thi_roster_strike(&match->roster))
        ;
    thi_roster_fini(&match->roster);
}

Test(roster_random, agrees_with_its_naive_twin, .timeout = 60)
{
    struct match *match = malloc(sizeof(*match));

    for (uint64_t seed = 1; seed <= 100; seed++)
        play(match, seed, 1000);
    free(match);
}
