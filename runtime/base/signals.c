/* runtime/base/signals.c: from a signal handler to a thread, through counters.
 *
 * A handler may hardly do anything, and it has no context: it counts, and wakes whoever sleeps on
 * the count. Whoever is interested has a thread that does. No descriptor is involved, so a handler
 * that runs while a system goes away can hit nobody else's. */
#include "runtime/base/signals.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "runtime/base/futex.h"
#include "runtime/base/thread.h"

static struct {
    pthread_mutex_t lock;
    unsigned users[_NSIG];
    struct sigaction before[_NSIG];
    _Atomic uint32_t count[_NSIG];
    _Atomic uint32_t came;   /* signals so far */
    _Atomic uint32_t change; /* came, or somebody is to stop: the futex */
} process = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void handle(int number)
{
    int saved = errno;

    /* relaxed, both: the change below carries them; lock-free, hence allowed in here */
    atomic_fetch_add_explicit(&process.count[number], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&process.came, 1, memory_order_relaxed);
    /* release: who sees the change sees the counts; pairs with the acquire in watch() */
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

th_err thi_signals_start(struct thi_signals *signals, const char *name, void (*told)(void *context),
                         void *context)
{
    th_err err;

    if (signals->is_started)
        return TH_OK;
    signals->told = told;
    signals->context = context;
    /* relaxed, both: the thread that will read them is not there yet */
    signals->seen = atomic_load_explicit(&process.came, memory_order_relaxed);
    atomic_store_explicit(&signals->stop, false, memory_order_relaxed);
    err = thi_thread_start(&signals->thread, name, watch, signals);
    signals->is_started = !err;
    return err;
}

void thi_signals_stop(struct thi_signals *signals)
{
    if (!signals->is_started)
        return;
    signals->is_started = false;
    /* relaxed: the change below carries it */
    atomic_store_explicit(&signals->stop, true, memory_order_relaxed);
    /* release: pairs with the acquire in watch() */
    atomic_fetch_add_explicit(&process.change, 1, memory_order_release);
    thi_futex_wake(&process.change, INT_MAX);
    pthread_join(signals->thread, NULL);
}

/* ---- dispositions ---- */

/* Handled by the thread that caused it, or not at all: a count would help nobody. */
static bool is_a_threads_own(int number)
{
    return number == SIGSEGV || number == SIGBUS || number == SIGFPE || number == SIGILL ||
           number == SIGTRAP || number == SIGABRT || number == SIGSYS;
}

static bool take_over(int number)
{
    struct sigaction ours = { .sa_handler = handle, .sa_flags = SA_RESTART };

    sigemptyset(&ours.sa_mask);
    return sigaction(number, &ours, &process.before[number]) == 0;
}

/* Only where the handler is still ours: what the program set since then is its own affair. */
static void put_back(int number)
{
    struct sigaction now;

    if (sigaction(number, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
        now.sa_handler == handle)
        sigaction(number, &process.before[number], NULL);
}

th_err thi_signals_want(int number)
{
    th_err err = TH_OK;

    if (number < 1 || number >= _NSIG || is_a_threads_own(number))
        return TH_E_INVALID;
    pthread_mutex_lock(&process.lock);
    if (process.users[number] == 0 && !take_over(number))
        err = TH_E_INVALID; /* SIGKILL, SIGSTOP, those of the C library's own */
    else
        process.users[number]++;
    pthread_mutex_unlock(&process.lock);
    return err;
}

void thi_signals_unwant(int number)
{
    pthread_mutex_lock(&process.lock);
    if (--process.users[number] == 0)
        put_back(number);
    pthread_mutex_unlock(&process.lock);
}

uint32_t thi_signals_count(int number)
{
    /* relaxed: who was told has seen the change, which carries it; others want a figure */
    return atomic_load_explicit(&process.count[number], memory_order_relaxed);
}
