/* Workers on their threads: everybody has a turn, whoever else is busy. */
#include "crew.h"

static struct crew crew;

/* A conversation: it has the other run next, and that the first. */
static struct job talkers[2];
static _Atomic bool is_over;

static void body_talk(struct crew *c, struct thi_worker *worker, struct job *job)
{
    struct job *other = &talkers[1 - job->number];

    (void)c;
    job_over(job);
    if (!atomic_load(&is_over))
        thi_worker_submit(worker, &other->task);
    else
        atomic_fetch_add(&crew.done, 1);
}

/* A flood: it is never done. */
static void body_flood(struct crew *c, struct thi_worker *worker, struct job *job)
{
    (void)c;
    job->is_running = false;
    atomic_fetch_add(&job->over, 1);
    if (!atomic_load(&is_over))
        thi_worker_requeue(worker, &job->task);
    else
        atomic_fetch_add(&crew.done, 1);
}

enum { FLOODS = 5, NEWCOMERS = 200 };

static void everybody_goes_on(unsigned workers)
{
    static struct job floods[FLOODS], newcomer;

    memset(talkers, 0, sizeof(talkers));
    memset(floods, 0, sizeof(floods));
    memset(&newcomer, 0, sizeof(newcomer));
    atomic_store(&is_over, false);
    crew_start(&crew, workers);
    for (unsigned i = 0; i < FLOODS; i++) {
        floods[i].body = body_flood;
        crew_submit(&crew, &floods[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        talkers[i].body = body_talk;
        talkers[i].crew = &crew;
        talkers[i].number = i;
    }
    crew_submit(&crew, &talkers[0]);
    newcomer.body = body_count;
    for (unsigned i = 1; i <= NEWCOMERS; i++) {
        unsigned talked = atomic_load(&talkers[0].over), flooded[FLOODS];

        for (int j = 0; j < FLOODS; j++)
            flooded[j] = atomic_load(&floods[j].over);
        crew_submit(&crew, &newcomer);
        crew_wait(&newcomer.over, i);
        crew_wait(&talkers[0].over, talked + 1); /* each of these waits ends, or the test does */
        for (int j = 0; j < FLOODS; j++)
            crew_wait(&floods[j].over, flooded[j] + 1);
    }
    atomic_store(&is_over, true);
    crew_wait(&crew.done, NEWCOMERS + FLOODS + 1);
    crew_stop(&crew);
}

Test(worker, of_one_lets_a_talk_a_flood_and_a_newcomer_go_on, .timeout = 60)
{
    everybody_goes_on(1);
}

Test(worker, of_two_let_a_talk_a_flood_and_a_newcomer_go_on, .timeout = 60)
{
    everybody_goes_on(2);
}

/* ---- order ---- */

enum { ROUNDS = 100, PLAYERS = 4 };
static unsigned order[PLAYERS * ROUNDS];
static unsigned ordered;

static void body_repeat(struct crew *c, struct thi_worker *worker, struct job *job)
{
    order[ordered++] = job->number;
    job->is_running = false;
    if (--job->left)
        thi_worker_requeue(worker, &job->task);
    else
        atomic_fetch_add(&c->done, 1);
}

static struct job players[PLAYERS];

static void body_start(struct crew *c, struct thi_worker *worker, struct job *job)
{
    (void)job;
    for (unsigned i = 0; i < PLAYERS; i++) {
        players[i].crew = c;
        thi_worker_put(worker, &players[i].task);
    }
}

Test(worker, puts_who_goes_on_behind_everybody_else)
{
    static struct job start = { .body = body_start };

    for (unsigned i = 0; i < PLAYERS; i++)
        players[i] = (struct job){ .body = body_repeat, .number = i, .left = ROUNDS };
    ordered = 0;
    crew_start(&crew, 1);
    crew_submit(&crew, &start);
    crew_wait(&crew.done, PLAYERS);
    for (unsigned i = 0; i < PLAYERS * ROUNDS; i++)
        cr_assert_eq(order[i], i % PLAYERS);
    crew_stop(&crew);
}

/* ---- a turn ---- */

static void body_look(struct crew *c, struct thi_worker *worker, struct job *job)
{
    cr_assert_eq(atomic_load(&worker->turn) % 2, 1, "odd while it runs");
    cr_assert_eq(worker->stage, c);
    cr_assert_eq(worker->system, 1);
    cr_assert_eq(worker->kind, THI_WORKER_REGULAR);
    cr_assert_eq(worker->alone, c->pool.options.workers == 1);
    job_over(job);
    atomic_fetch_add(&c->done, 1);
}

Test(worker, shows_its_turns_to_the_sentry)
{
    static struct job job = { .body = body_look };

    for (unsigned workers = 1; workers <= 2; workers++) {
        uint64_t turns = 0;

        crew_start(&crew, workers);
        for (unsigned i = 1; i <= 10; i++) {
            crew_submit(&crew, &job);
            crew_wait(&crew.done, i);
        }
        crew_wait_parked(&crew, 0);
        for (unsigned i = 0; i < workers; i++) {
            turns += atomic_load(&crew.pool.workers[i]->turn);
            cr_assert_eq(atomic_load(&crew.pool.workers[i]->turn) % 2, 0);
        }
        cr_assert_eq(turns, 2 * 10);
        crew_stop(&crew);
    }
}
