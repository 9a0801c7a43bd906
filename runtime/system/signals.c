/* runtime/system/signals.c: from a signal handler to a thread, through one counter.
 *
 * A handler may hardly do anything, and it has no context: it counts, and wakes whoever sleeps on
 * the count. Each interested system has a thread that does. No descriptor is involved, so a handler
 * that runs while a system goes away can hit nobody else's. */
#include "runtime/system/signals.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "runtime/base/futex.h"
#include "runtime/base/thread.h"

enum { SIGNALS = 2 };
static const int numbers[SIGNALS] = { SIGTERM, SIGINT };

static struct {
    pthread_mutex_t lock;
    unsigned users;
    struct sigaction before[SIGNALS];
    _Atomic uint32_t came;   /* signals so far */
    _Atomic uint32_t change; /* came, or somebody is to stop: the futex */
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void handle(int number)
{
    int saved = errno;

    (void)number;
    /* relaxed: the change below carries it; lock-free, hence allowed in here */
    atomic_fetch_add_explicit(&process.came, 1, memory_order_relaxed);
    /* release: who sees the change sees the count; pairs with the acquire in watch() */
    atomic_fetch_add_explicit(&process.change, 1, memory_order_release);
    thi_futex_wake(&process.change, INT_MAX);
    errno = saved;
}

static void *watch(void *context)
{
    struct thi_signals *signals = context;

    for (;;) {
        /* acquire: pairs with the releases in handle() and thi_signals_stop() */
        uint32_t change = atomic_load_explicit(&process.change, memory_order_acquire);
        /* relaxed, both: carried by the change */
        uint32_t came = atomic_load_explicit(&process.came, memory_order_relaxed);

        if (atomic_load_explicit(&signals->stop, memory_order_relaxed))
            return NULL;
        if (came != signals->seen) {
            signals->seen = came;
            signals->told(signals->context);
        }
        thi_futex_wait(&process.change, change, UINT64_MAX);
    }
}

static void take_over(void)
{
    struct sigaction ours = { .sa_handler = handle, .sa_flags = SA_RESTART };

    sigemptyset(&ours.sa_mask);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(numbers[i], &ours, &process.before[i]);
}

/* Only where the handler is still ours: what the program set since then is its own affair. */
static void put_back(void)
{
    for (int i = 0; i < SIGNALS; i++) {
        struct sigaction now;

        if (sigaction(numbers[i], NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
            now.sa_handler == handle)
            sigaction(numbers[i], &process.before[i], NULL);
    }
}

th_err thi_signals_start(struct thi_signals *signals, void (*told)(void *context), void *context)
{
    th_err err;

    signals->told = told;
    signals->context = context;
    /* relaxed, both: the thread that will read them is not there yet */
    signals->seen = atomic_load_explicit(&process.came, memory_order_relaxed);
    atomic_store_explicit(&signals->stop, false, memory_order_relaxed);
    err = thi_thread_start(&signals->thread, "th/signals", watch, signals);
    if (err)
        return err;
    signals->started = true;
    pthread_mutex_lock(&process.lock);
    if (process.users++ == 0)
        take_over();
    pthread_mutex_unlock(&process.lock);
    return TH_OK;
}

void thi_signals_stop(struct thi_signals *signals)
{
    if (!signals->started)
        return;
    signals->started = false;
    pthread_mutex_lock(&process.lock);
    if (--process.users == 0)
        put_back();
    pthread_mutex_unlock(&process.lock);
    /* relaxed: the change below carries it */
    atomic_store_explicit(&signals->stop, true, memory_order_relaxed);
    /* release: pairs with the acquire in watch() */
    atomic_fetch_add_explicit(&process.change, 1, memory_order_release);
    thi_futex_wake(&process.change, INT_MAX);
    pthread_join(signals->thread, NULL);
}
