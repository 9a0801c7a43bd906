/* reclaim.c: registering readers, and the thread that waits for them.
 *
 * The reclaimer's state is one word, `top`, like a mailbox's:
 *
 *   NULL      awake, nothing new      -> ASLEEP by the thread, -> a stack by a push
 *   a stack   of retired chains       -> NULL by the thread, which takes all of it
 *   ASLEEP    the thread sleeps       -> a stack by a push, which then also wakes the thread
 *
 * So a push is one exchange loop, and exactly one push per sleep pays for the wake-up.
 *
 * Grace periods have a price for the readers, one slow quiescent point each and perhaps a wake-up
 * of this thread. Under load the next one therefore starts at least PACE_NS after the last one, and
 * takes all that gathered meanwhile; what is retired while the thread sleeps starts one at once. */
#include "runtime/base/reclaim.h"

#include "runtime/base/clock.h"
#include "runtime/base/thread.h"
#include <thespis/assert.h>

/* A thousand grace periods a second at most: below 1 % of a reader's time, and a million retired
 * objects a second gather to a thousand. */
enum { PACE_NS = 1000000 };

static struct thi_retired asleep_marker;
#define ASLEEP (&asleep_marker)

/* ---- readers ---- */

/* What ThreadSanitizer has to be told: everything a reader did until here comes before whatever
 * follows a later grace period. */
#ifdef THI_RECLAIM_TSAN
static void tell_read_until_here(void)
{
    __tsan_release(&urcu_qsbr_gp);
}

static void tell_grace_period_over(void)
{
    __tsan_acquire(&urcu_qsbr_gp);
}
#else
static void tell_read_until_here(void)
{
}

static void tell_grace_period_over(void)
{
}
#endif

void thi_reclaim_thread_begin(void)
{
    urcu_qsbr_register_thread();
}

void thi_reclaim_thread_end(void)
{
    tell_read_until_here();
    urcu_qsbr_unregister_thread();
}

/* liburcu keeps its readers per process and per thread, so what we know of a foreign thread is kept
 * in the same places: there is no context that could hold it. */
static _Thread_local struct {
    unsigned depth;        /* enters without their leave */
    bool was_online;       /* when the outermost enter came: then it is not ours to end */
    bool until_leave_only; /* no key: the registration ends with the section */
} foreign;

static pthread_key_t exit_key;
static bool exit_key_made;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;

static void unregister_at_exit(void *unused)
{
    (void)unused;
    thi_reclaim_thread_end();
}

static void make_exit_key(void)
{
    exit_key_made = pthread_key_create(&exit_key, unregister_at_exit) == 0;
}

static void register_foreign(void)
{
    urcu_qsbr_register_thread();
    (void)pthread_once(&exit_key_once, make_exit_key);
    /* The value only has to be something. Without a key (a process has 1024) the registration lasts
     * for this section: slow, and right. A key's destructor that comes in after ours registers the
     * thread again, and ours is called again. */
    foreign.until_leave_only = !exit_key_made || pthread_setspecific(exit_key, &foreign) != 0;
}

void thi_reclaim_enter(void)
{
    if (foreign.depth++ > 0)
        return;
    foreign.was_online = false;
    if (TH_UNLIKELY(!URCU_TLS(urcu_qsbr_reader).registered))
        register_foreign();
    else if (URCU_TLS(urcu_qsbr_reader).ctr != 0)
        foreign.was_online = true;
    else
        thi_reclaim_online();
}

void thi_reclaim_leave(void)
{
    TH_ASSERT(foreign.depth > 0);
    if (--foreign.depth > 0 || foreign.was_online)
        return;
    if (TH_LIKELY(!foreign.until_leave_only)) {
        thi_reclaim_offline();
        return;
    }
    foreign.until_leave_only = false;
    thi_reclaim_thread_end();
}

/* ---- the reclaimer ---- */

static bool is_stopping(struct thi_reclaimer *reclaimer)
{
    /* acquire: all that was retired before the stop is seen after it; pairs with the release in
     * thi_reclaimer_stop() */
    return atomic_load_explicit(&reclaimer->stop, memory_order_acquire);
}

static struct thi_retired *take_all(struct thi_reclaimer *reclaimer)
{
    /* acquire: the links and what is in the retired memory; pairs with the release in
     * thi_reclaimer_retire(), of every push of the stack, since each is a read-modify-write */
    struct thi_retired *list =
        atomic_exchange_explicit(&reclaimer->top, NULL, memory_order_acquire);

    return list == ASLEEP ? NULL : list;
}

static void wait_grace_period(void)
{
#ifndef THI_FAULT_NO_GRACE_PERIOD /* a fault for the tests: they must notice */
    urcu_qsbr_synchronize_rcu();
    tell_grace_period_over();
#endif
}

void thi_reclaim_wait(void)
{
    wait_grace_period();
}

static void sleep_until_retired(struct thi_reclaimer *reclaimer)
{
    struct thi_retired *empty = NULL;

    /* relaxed: publishes nothing; if it fails there is work, and take_all() will acquire it */
    if (!atomic_compare_exchange_strong_explicit(&reclaimer->top, &empty, ASLEEP,
                                                 memory_order_relaxed, memory_order_relaxed))
        return;
    (void)thi_bell_wait(&reclaimer->bell, UINT64_MAX);
}

/* A stop cuts it short. */
static void sleep_until(struct thi_reclaimer *reclaimer, uint64_t moment_ns)
{
    while (!is_stopping(reclaimer) && thi_bell_wait(&reclaimer->bell, moment_ns))
        ;
}

static void *run(void *context)
{
    struct thi_reclaimer *reclaimer = context;

    for (;;) {
        bool stopping = is_stopping(reclaimer); /* before the take: then an empty one is final */
        struct thi_retired *list = take_all(reclaimer);

        if (list) {
            uint64_t began_ns = thi_clock_monotonic();

            wait_grace_period();
            reclaimer->free_batch(reclaimer->context, list);
            sleep_until(reclaimer, began_ns + PACE_NS);
        } else if (stopping) {
            return NULL;
        } else {
            sleep_until_retired(reclaimer);
        }
    }
}

th_err thi_reclaimer_start(struct thi_reclaimer *reclaimer,
                           void (*free_batch)(void *context, struct thi_retired *list),
                           void *context)
{
    reclaimer->free_batch = free_batch;
    reclaimer->context = context;
    atomic_init(&reclaimer->top, NULL);
    thi_bell_init(&reclaimer->bell);
    atomic_init(&reclaimer->stop, false);
    return thi_thread_start(&reclaimer->thread, "thespis/reclaim", run, reclaimer);
}

void thi_reclaimer_retire(struct thi_reclaimer *reclaimer, struct thi_retired *first,
                          struct thi_retired *last)
{
    struct thi_retired *top;

    /* relaxed: only compared, and written into @last */
    top = atomic_load_explicit(&reclaimer->top, memory_order_relaxed);
    do {
        last->next = top == ASLEEP ? NULL : top;
        /* release: the chain, and that it was unlinked; pairs with the acquire in take_all().
         * relaxed on failure: we only look again. */
    } while (!atomic_compare_exchange_weak_explicit(&reclaimer->top, &top, first,
                                                    memory_order_release, memory_order_relaxed));
    if (top == ASLEEP)
        thi_bell_ring(&reclaimer->bell);
}

void thi_reclaimer_stop(struct thi_reclaimer *reclaimer)
{
    /* release: pairs with the acquire in is_stopping() */
    atomic_store_explicit(&reclaimer->stop, true, memory_order_release);
    thi_bell_ring(&reclaimer->bell);
    (void)pthread_join(reclaimer->thread, NULL); /* cannot fail: it is ours, and joined once */
}
