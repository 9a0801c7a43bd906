/* Troupes under random treatment: 2000 seeds of jobs that answer, hold, fail, kill and leave, of
 * workers poked and stopped by strangers, of limits that change and of time that passes. Whatever
 * happens, each job has exactly one outcome, and what only answers is never done twice. */
#include "tests/troupe/crew.h"

#include "runtime/base/random.h"

#include <string.h>

enum { JOBS_MAX = 400, HELD_MAX = 64, SEEDS = 2000 };

struct game {
    struct test_system ts;
    struct thi_random random;
    th_addr troupe;
    unsigned jobs;
    struct {
        enum what what;
        unsigned answers, poisons, letters;
    } job[JOBS_MAX];
    th_addr held[HELD_MAX]; /* workers that said they hold, or did */
    unsigned held_count;
};

static uint64_t roll(struct game *game, uint64_t below)
{
    return thi_random_below(&game->random, below);
}

/* ---- what we hear ---- */

static void hear_result(struct game *game, const struct result *result)
{
    if (result->id == 0)
        return; /* to a poke */
    game->job[result->id].answers++;
    if (game->job[result->id].what == HOLD)
        game->held[game->held_count++ % HELD_MAX] = result->worker;
}

/* Pokes and wrappers come back, too: they are no jobs. */
static void hear(struct game *game, const th_msg *msg)
{
    if (result_of(msg))
        hear_result(game, result_of(msg));
    else if (th_poison_of(msg) && task_of(th_poison_of(msg)->message))
        game->job[task_of(th_poison_of(msg)->message)->id].poisons++;
    else if (th_dead_letter_of(msg) && task_of(th_dead_letter_of(msg)->message))
        game->job[task_of(th_dead_letter_of(msg)->message)->id].letters++;
}

static void hear_all(struct game *game)
{
    th_msg *msg;

    while (th_listen(game->ts.me, 0, &msg) == TH_OK) {
        hear(game, msg);
        th_msg_destroy(game->ts.me, msg);
    }
}

/* ---- what we do ---- */

static void send_job(struct game *game)
{
    static const enum what whats[] = { ECHO,      ECHO, ECHO,      HOLD,  HOLD_DONE, FAIL,
                                       HOLD_FAIL, DIE,  DIE_TWICE, LEAVE, LEAVE };
    unsigned id = game->jobs + 1;

    if (id == JOBS_MAX)
        return;
    game->jobs = id;
    game->job[id].what = whats[roll(game, sizeof(whats) / sizeof(*whats))];
    crew_tell(&game->ts, game->troupe, game->job[id].what, id);
}

static bool some_worker(struct game *game, th_addr *worker)
{
    unsigned known = game->held_count < HELD_MAX ? game->held_count : HELD_MAX;

    if (known == 0)
        return false;
    *worker = game->held[roll(game, known)];
    return true;
}

static void change_limits(struct game *game)
{
    struct th_troupe_set set = { .workers_max = (uint32_t)roll(game, 6),
                                 .idle_max = (uint32_t)roll(game, 4),
                                 .pending_max = (uint32_t)roll(game, 20) };

    cr_assert_eq(th_troupe_set_send(game->ts.me, game->troupe, set), TH_OK);
}

static void run_a_little(struct game *game)
{
    th_err err = th_run_until_idle(game->ts.sys, 1 + roll(game, 10), NULL);

    cr_assert(err == TH_OK || err == TH_E_LIMIT);
}

static void act(struct game *game)
{
    static const enum poking pokes[] = { POKE_RELEASE, POKE_RELEASE, POKE_RELEASE,
                                         POKE_FAIL,    POKE_DIE,     POKE_DONE };
    th_addr worker;

    switch (roll(game, 12)) {
    case 0: change_limits(game); break;
    case 1: cr_assert_eq(th_advance(game->ts.sys, roll(game, TH_MS(30))), TH_OK); break;
    case 2:
        if (some_worker(game, &worker))
            cr_assert_eq(th_stop(game->ts.me, worker), TH_OK);
        break;
    case 3:
    case 4:
        if (some_worker(game, &worker))
            crew_poke(&game->ts, worker, pokes[roll(game, 6)]);
        break;
    case 5:
    case 6: run_a_little(game); break;
    case 7: crew_status(&game->ts, game->troupe); break; /* conserved */
    default: send_job(game); break;
    }
    hear_all(game);
}

/* Releases what is held until nothing is under way. */
static void finish(struct game *game)
{
    struct th_troupe_status status = { .busy = 1 };
    unsigned rounds = 0;

    while (status.busy || status.pending) {
        cr_assert_lt(rounds++, 1000, "busy %u, pending %u, for ever", status.busy,
                     (unsigned)status.pending);
        cr_assert_eq(th_advance(game->ts.sys, TH_MS(100)), TH_OK);
        hear_all(game);
        for (unsigned i = 0; i < game->held_count && i < HELD_MAX; i++)
            crew_poke(&game->ts, game->held[i], POKE_RELEASE);
        hear_all(game);
        status = crew_status(&game->ts, game->troupe);
    }
    cr_assert_eq(status.jobs, game->jobs);
}

static void check_outcomes(const struct game *game, bool finished)
{
    for (unsigned id = 1; id <= game->jobs; id++) {
        enum what what = game->job[id].what;
        unsigned answers = game->job[id].answers, poisons = game->job[id].poisons;
        unsigned letters = game->job[id].letters;

        cr_assert_leq(poisons + letters, 1, "job %u: %u poisons, %u letters", id, poisons, letters);
        if (what == ECHO || what == LEAVE || what == HOLD_DONE)
            cr_assert_leq(answers + poisons + letters, 1, "job %u (%d): done %u times", id, what,
                          answers);
        if (what == FAIL || what == HOLD_FAIL || what == DIE)
            cr_assert_eq(answers, 0, "job %u (%d) answered", id, what);
        if (finished)
            cr_assert_geq(answers + poisons + letters, 1, "job %u (%d) has no outcome", id, what);
    }
}

static void play(uint64_t seed)
{
    static const th_class classes[] = { HAND_CLASS(TH_ON_FAILURE_KEEP),
                                        HAND_CLASS(TH_ON_FAILURE_RESTART),
                                        HAND_CLASS(TH_ON_FAILURE_STOP) };
    static struct game game;
    th_troupe_options options = { 0 };
    bool finished = seed % 4 != 0;

    memset(&game, 0, sizeof(game));
    game.ts = test_system_open(TH_BASE_SIMPLE, seed);
    thi_random_init(&game.random, seed);
    options.workers_max = 1 + (uint32_t)roll(&game, 5);
    options.idle_max = 1 + (uint32_t)roll(&game, options.workers_max);
    options.pending_max = 1 + (uint32_t)roll(&game, 30);
    options.kills_max = 1 + (uint32_t)roll(&game, 3);
    options.linger_ns = TH_MS(1 + roll(&game, 50));
    options.backoff_min_ns = TH_MS(1);
    options.backoff_max_ns = TH_MS(8);
    game.troupe = crew_spawn(&game.ts, &classes[seed % 3], options);
    crew_mourn(&game.ts);
    for (int i = 0; i < 150; i++)
        act(&game);
    if (finished)
        finish(&game);
    cr_assert_eq(th_stop(game.ts.me, game.troupe), TH_OK);
    cr_assert_eq(th_run_until_idle(game.ts.sys, 0, NULL), TH_OK);
    hear_all(&game);
    check_outcomes(&game, finished);
    test_system_close(&game.ts);
}

Test(seeded_troupe, every_job_has_one_outcome, .timeout = 300)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play(seed);
}
