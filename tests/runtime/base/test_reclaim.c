/* Grace periods: nothing is freed while somebody may read it, and everything is freed in the end.
 *
 * Under ThreadSanitizer readers_never_see_freed_memory is also the proof that the order of a grace
 * period is told right: it must be clean, and with -DTHI_FAULT_NO_GRACE_PERIOD it must not be. */
#include "runtime/base/reclaim.h"

#include <criterion/criterion.h>

#include <sched.h>
#include <stdlib.h>

enum { ALIVE = 0x11fe, READERS = 2, FOREIGNERS = 2, SWAPS = 500 };

struct node {
    struct thi_retired retired; /* first */
    unsigned state;             /* plain on purpose: only grace periods protect it */
};

static struct thi_reclaimer reclaimer;
static _Atomic unsigned made, freed;
static struct thi_bell freed_bell;
static _Atomic bool over;
static _Atomic(struct node *) shared;

static void free_batch(void *context, struct thi_retired *list)
{
    cr_assert_eq(context, &freed);
    while (list) {
        struct node *node = (struct node *)list;

        list = list->next;
        node->state = 0;
        free(node);
        /* release: main may look at what we did once it sees the count */
        atomic_fetch_add_explicit(&freed, 1, memory_order_release);
    }
    thi_bell_ring(&freed_bell);
}

static struct node *make(void)
{
    struct node *node = calloc(1, sizeof(*node));

    cr_assert_not_null(node);
    node->state = ALIVE;
    atomic_fetch_add(&made, 1);
    return node;
}

static void retire(struct node *node)
{
    thi_reclaimer_retire(&reclaimer, &node->retired, &node->retired);
}

static void wait_freed(unsigned count)
{
    while (atomic_load(&freed) < count)
        (void)thi_bell_wait(&freed_bell, UINT64_MAX);
}

static void begin(void)
{
    atomic_store(&made, 0);
    atomic_store(&freed, 0);
    atomic_store(&over, false);
    atomic_store(&shared, NULL);
    thi_bell_init(&freed_bell);
    cr_assert_eq(thi_reclaimer_start(&reclaimer, free_batch, &freed), TH_OK);
}

static void end(void)
{
    thi_reclaimer_stop(&reclaimer);
    cr_assert_eq(atomic_load(&freed), atomic_load(&made));
}

static bool is_online(void)
{
    return urcu_qsbr_read_ongoing() != 0;
}

Test(reclaim, frees_what_nobody_reads, .init = begin, .fini = end)
{
    /* the second finds the reclaimer pausing or asleep, the third surely had it asleep once */
    for (unsigned i = 1; i <= 3; i++) {
        retire(make());
        wait_freed(i);
    }
}

Test(reclaim, takes_whole_chains, .init = begin, .fini = end)
{
    struct node *a = make(), *b = make(), *c = make();

    a->retired.next = &b->retired;
    b->retired.next = &c->retired;
    c->retired.next = &a->retired; /* whatever it was */
    thi_reclaimer_retire(&reclaimer, &a->retired, &c->retired);
    wait_freed(3);
}

Test(reclaim, stop_frees_all_first)
{
    begin();
    for (int i = 0; i < 1000; i++)
        retire(make());
    end();
}

static void free_twice_over(void *context, struct thi_retired *list)
{
    while (list) {
        struct node *node = (struct node *)list;

        list = list->next;
        if (node->state-- == ALIVE) {
            retire(node); /* such as a cell whose segment goes after it */
        } else {
            node->retired.next = NULL;
            free_batch(context, &node->retired);
        }
    }
}

Test(reclaim, may_retire_more_while_it_frees)
{
    begin();
    thi_reclaimer_stop(&reclaimer);
    cr_assert_eq(thi_reclaimer_start(&reclaimer, free_twice_over, &freed), TH_OK);
    for (int i = 0; i < 100; i++)
        retire(make());
    end();
}

/* ---- readers ---- */

static struct thi_bell reading_bell, go_on_bell;

static void *hold(void *unused)
{
    struct node *node;

    thi_reclaim_thread_begin();
    node = atomic_load(&shared);
    thi_bell_ring(&reading_bell);
    (void)thi_bell_wait(&go_on_bell, UINT64_MAX);
    for (int i = 0; i < 200; i++) /* a reclaimer that does not wait for us gets its chance */
        sched_yield();
    cr_assert_eq(atomic_load(&freed), 0, "freed under a reader's eyes");
    cr_assert_eq(node->state, ALIVE);
    thi_reclaim_offline(); /* R2: a grace period may begin only now */
    wait_freed(1);
    thi_reclaim_online();
    thi_reclaim_thread_end();
    return unused;
}

Test(reclaim, waits_for_readers_that_came_before, .init = begin, .fini = end)
{
    pthread_t reader;

    thi_bell_init(&reading_bell);
    thi_bell_init(&go_on_bell);
    atomic_store(&shared, make());
    cr_assert_eq(pthread_create(&reader, NULL, hold, NULL), 0);
    (void)thi_bell_wait(&reading_bell, UINT64_MAX);
    retire(atomic_exchange(&shared, NULL));
    thi_bell_ring(&go_on_bell);
    cr_assert_eq(pthread_join(reader, NULL), 0);
}

static void read_once(void)
{
    /* acquire: pairs with the release in the swap below */
    struct node *node = atomic_load_explicit(&shared, memory_order_acquire);

    cr_assert_eq(node->state, ALIVE);
}

static void *read_as_worker(void *unused)
{
    thi_reclaim_thread_begin();
    for (unsigned i = 0; !atomic_load_explicit(&over, memory_order_relaxed); i++) {
        read_once();
        if (i % 64 == 0) {
            thi_reclaim_offline();
            thi_reclaim_online();
        } else {
            thi_reclaim_quiescent();
        }
    }
    thi_reclaim_thread_end();
    return unused;
}

static void *read_as_foreigner(void *unused)
{
    while (!atomic_load_explicit(&over, memory_order_relaxed)) {
        thi_reclaim_enter();
        read_once();
        thi_reclaim_leave();
    }
    return unused;
}

Test(reclaim, readers_never_see_freed_memory, .init = begin, .fini = end, .timeout = 60)
{
    pthread_t readers[READERS + FOREIGNERS];

    atomic_store(&shared, make());
    for (int i = 0; i < READERS + FOREIGNERS; i++)
        cr_assert_eq(pthread_create(&readers[i], NULL,
                                    i < READERS ? read_as_worker : read_as_foreigner, NULL),
                     0);
    for (int i = 0; i < SWAPS; i++) {
        /* release: the new node's state */
        retire(atomic_exchange_explicit(&shared, make(), memory_order_release));
        if (i % 16 == 0)
            sched_yield();
    }
    wait_freed(SWAPS);
    atomic_store(&over, true);
    for (int i = 0; i < READERS + FOREIGNERS; i++)
        cr_assert_eq(pthread_join(readers[i], NULL), 0);
    retire(atomic_exchange(&shared, NULL));
}

/* ---- threads that are not ours ---- */

static void *come_and_go(void *unused)
{
    cr_assert_not(is_online());
    thi_reclaim_enter();
    cr_assert(is_online());
    thi_reclaim_enter();
    thi_reclaim_leave();
    cr_assert(is_online(), "it nests");
    thi_reclaim_leave();
    cr_assert_not(is_online());
    return unused;
}

/* A thread that stayed registered would be waited for, in memory that is gone. */
Test(reclaim, foreign_threads_are_forgotten_when_they_end, .init = begin, .fini = end)
{
    for (unsigned i = 1; i <= 50; i++) {
        pthread_t thread;

        cr_assert_eq(pthread_create(&thread, NULL, come_and_go, NULL), 0);
        cr_assert_eq(pthread_join(thread, NULL), 0);
        retire(make());
        if (i % 10 == 0)
            wait_freed(i);
    }
}

static void *linger(void *unused)
{
    come_and_go(NULL);
    thi_bell_ring(&reading_bell);
    (void)thi_bell_wait(&go_on_bell, UINT64_MAX);
    return unused;
}

Test(reclaim, foreign_threads_between_calls_delay_nobody, .init = begin, .fini = end)
{
    pthread_t thread;

    thi_bell_init(&reading_bell);
    thi_bell_init(&go_on_bell);
    cr_assert_eq(pthread_create(&thread, NULL, linger, NULL), 0);
    (void)thi_bell_wait(&reading_bell, UINT64_MAX);
    retire(make());
    wait_freed(1);
    thi_bell_ring(&go_on_bell);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

static void *call_from_worker(void *unused)
{
    thi_reclaim_thread_begin();
    thi_reclaim_enter();
    cr_assert(is_online());
    thi_reclaim_leave();
    cr_assert(is_online(), "a worker stays what it is");
    thi_reclaim_thread_end();
    return unused;
}

static void *call_from_user_of_urcu(void *unused)
{
    urcu_qsbr_register_thread();
    thi_reclaim_enter();
    thi_reclaim_leave();
    cr_assert(is_online(), "found online, left online");
    urcu_qsbr_thread_offline();
    thi_reclaim_enter();
    cr_assert(is_online());
    thi_reclaim_leave();
    cr_assert_not(is_online(), "found offline, left offline");
    urcu_qsbr_unregister_thread();
    return come_and_go(unused); /* now it is a foreign thread like any other */
}

Test(reclaim, threads_are_left_as_they_were_found, .init = begin, .fini = end)
{
    pthread_t thread;

    cr_assert_eq(pthread_create(&thread, NULL, call_from_worker, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(pthread_create(&thread, NULL, call_from_user_of_urcu, NULL), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    retire(make());
    wait_freed(1);
}
