/* The queues of a worker: what comes out, in which order, and how often. */
#include "crew.h"

enum { MANY = 3 * TH_RING_SIZE };

/* Two workers and their pool, without threads. */
struct queues {
    struct thi_memory memory;
    struct thi_depot depot;
    struct thi_pool pool;
    struct thi_worker workers[2];
};

static struct queues queues;
static struct job jobs[MANY];

static void open_queues(unsigned workers)
{
    memset(&queues, 0, sizeof(queues));
    memset(jobs, 0, sizeof(jobs));
    cr_assert_eq(thi_memory_init(&queues.memory, NULL, 0), TH_OK);
    thi_depot_init(&queues.depot, &queues.memory);
    queues.pool.options.memory = &queues.memory;
    queues.pool.options.depot = &queues.depot;
    queues.pool.options.workers = workers;
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(thi_worker_init(&queues.workers[i], &queues.pool, THI_WORKER_REGULAR, i),
                     TH_OK);
    for (unsigned i = 0; i < MANY; i++)
        jobs[i].number = i;
}

static void close_queues(void)
{
    for (unsigned i = 0; i < 2; i++)
        thi_worker_fini(&queues.workers[i]);
    cr_assert_eq(thi_depot_fini(&queues.depot), 0);
    cr_assert_eq(thi_memory_fini(&queues.memory), 0);
}

/* The number of the next job, or -1. */
static int take(struct thi_worker *worker)
{
    struct thi_task *task = thi_runq_take(worker);

    return task ? (int)((struct job *)(void *)task)->number : -1;
}

static void put(struct thi_worker *worker, unsigned first, unsigned count)
{
    for (unsigned i = first; i < first + count; i++)
        thi_worker_put(worker, &jobs[i].task);
}

static void order_is_kept(unsigned workers)
{
    struct thi_worker *worker = &queues.workers[0];

    open_queues(workers);
    cr_assert_eq(worker->alone, workers == 1);
    cr_assert_eq(take(worker), -1);
    cr_assert_not(thi_runq_has_work(worker));
    put(worker, 0, MANY);
    cr_assert_eq(thi_runq_length(worker), MANY);
    cr_assert(thi_runq_has_work(worker));
    for (int i = 0; i < MANY; i++)
        cr_assert_eq(take(worker), i);
    cr_assert_eq(take(worker), -1);
    cr_assert_eq(thi_runq_length(worker), 0);
    close_queues();
}

Test(runq, keeps_the_order_past_the_end_of_the_ring)
{
    order_is_kept(1);
    order_is_kept(2);
}

Test(runq, lets_nobody_overtake_the_backlog)
{
    struct thi_worker *worker = &queues.workers[0];

    open_queues(1);
    put(worker, 0, TH_RING_SIZE + 10); /* ten or so do not fit */
    for (int i = 0; i < 100; i++)
        cr_assert_eq(take(worker), i); /* there is room in the ring now */
    put(worker, TH_RING_SIZE + 10, 20);
    for (int i = 100; i < TH_RING_SIZE + 30; i++)
        cr_assert_eq(take(worker), i);
    close_queues();
}

Test(runq, prefers_the_next_slot_and_not_for_ever)
{
    struct thi_worker *worker = &queues.workers[0];
    int turns = 0;

    for (unsigned workers = 1; workers <= 2; workers++) {
        open_queues(workers);
        put(worker, 5, 1);
        thi_worker_submit(worker, &jobs[0].task);
        for (turns = 0; take(worker) == 0; turns++)
            thi_worker_submit(worker, &jobs[0].task); /* a conversation */
        cr_assert_eq(turns, TH_NEXT_TURNS_MAX);
        cr_assert_eq(take(worker), 0);
        cr_assert_eq(take(worker), -1);
        close_queues();
    }
}

Test(runq, queues_who_is_displaced_from_the_next_slot)
{
    struct thi_worker *worker = &queues.workers[0];

    for (unsigned workers = 1; workers <= 2; workers++) {
        open_queues(workers);
        put(worker, 9, 1);
        for (unsigned i = 0; i < 3; i++)
            thi_worker_submit(worker, &jobs[i].task);
        cr_assert_eq(take(worker), 2, "the latest");
        cr_assert_eq(take(worker), 9);
        cr_assert_eq(take(worker), 0);
        cr_assert_eq(take(worker), 1);
        cr_assert_eq(take(worker), -1);
        close_queues();
    }
}

Test(runq, takes_submissions_in_their_order)
{
    struct thi_worker *worker = &queues.workers[0];

    open_queues(2);
    for (unsigned i = 1; i < MANY; i++)
        thi_pool_push(&queues.pool, &jobs[i].task);
    put(worker, 0, 1);
    cr_assert_eq(take(worker), 0, "its own first");
    for (int i = 1; i < MANY; i++)
        cr_assert_eq(take(worker), i);
    cr_assert_eq(take(worker), -1);
    close_queues();
}

Test(runq, gives_a_thief_half_and_the_next_only_if_he_must)
{
    struct thi_worker *victim = &queues.workers[0], *thief = &queues.workers[1];

    open_queues(2);
    cr_assert_not(thi_runq_steal(thief, victim, false));
    put(victim, 0, 10);
    thi_worker_submit(victim, &jobs[100].task);
    cr_assert(thi_runq_steal(thief, victim, false));
    cr_assert_eq(thi_runq_length(thief), 5);
    cr_assert_eq(thi_stats_get(&thief->stats, THI_STAT_STEALS), 1);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(take(thief), i, "the oldest");
    cr_assert_eq(take(victim), 100);
    for (int i = 5; i < 10; i++)
        cr_assert_eq(take(victim), i);

    thi_worker_submit(victim, &jobs[100].task);
    cr_assert_not(thi_runq_steal(thief, victim, false));
    cr_assert(thi_runq_steal(thief, victim, true));
    cr_assert_eq(take(thief), 100);
    cr_assert_eq(take(victim), -1);
    close_queues();
}

static unsigned spilled;

static void spill_one(struct thi_pool *pool, struct thi_task *task)
{
    (void)pool;
    cr_assert_eq(((struct job *)(void *)task)->turns++, 0);
    spilled++;
}

Test(runq, spills_everything_once)
{
    struct thi_worker *worker = &queues.workers[0];

    open_queues(2);
    spilled = 0;
    put(worker, 0, MANY - 1);
    thi_worker_submit(worker, &jobs[MANY - 1].task);
    thi_runq_spill(worker, spill_one);
    cr_assert_eq(spilled, MANY);
    cr_assert_not(thi_runq_has_work(worker));
    close_queues();
}

Test(runq, without_memory_is_not_made)
{
    struct thi_worker *worker = &queues.workers[0];

    open_queues(2);
    thi_worker_fini(worker);
    memset(worker, 0, sizeof(*worker));
    thi_memory_inject(&queues.memory, 1, true);
    cr_assert_eq(thi_worker_init(worker, &queues.pool, THI_WORKER_REGULAR, 0), TH_E_NOMEM);
    thi_memory_inject(&queues.memory, 0, false);
    memset(worker, 0, sizeof(*worker));
    cr_assert_eq(thi_worker_init(worker, &queues.pool, THI_WORKER_REGULAR, 0), TH_OK);
    close_queues();
}

/* ---- an owner and a thief at once ---- */

enum { ROUNDS = 40 };
static _Atomic unsigned seen[MANY];
static _Atomic bool is_over;

static void *steal_all(void *unused)
{
    struct thi_worker *victim = &queues.workers[0], *thief = &queues.workers[1];
    int number;

    (void)unused;
    while (!atomic_load(&is_over)) {
        if (!thi_runq_steal(thief, victim, true))
            sched_yield();
        while ((number = take(thief)) >= 0)
            atomic_fetch_add(&seen[number], 1);
    }
    return NULL;
}

Test(runq, gives_each_task_to_one_of_owner_and_thief, .timeout = 60)
{
    struct thi_worker *worker = &queues.workers[0];
    pthread_t thief;
    int number;

    open_queues(2);
    atomic_store(&is_over, false);
    memset((void *)seen, 0, sizeof(seen));
    cr_assert_eq(pthread_create(&thief, NULL, steal_all, NULL), 0);
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            if (i % 3 == 0)
                thi_worker_submit(worker, &jobs[i].task);
            else
                thi_worker_put(worker, &jobs[i].task);
            if (i % 2 == 0 && (number = take(worker)) >= 0)
                atomic_fetch_add(&seen[number], 1);
        }
        while ((number = take(worker)) >= 0)
            atomic_fetch_add(&seen[number], 1);
        for (unsigned i = 0; i < MANY; i++)
            while (atomic_load(&seen[i]) < round) /* the thief has it */
                sched_yield();
    }
    atomic_store(&is_over, true);
    cr_assert_eq(pthread_join(thief, NULL), 0);
    for (unsigned i = 0; i < MANY; i++)
        cr_assert_eq(atomic_load(&seen[i]), ROUNDS);
    close_queues();
}
