#include "runtime/system/status_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/system/report.h"
#include "runtime/system/system.h"
#include "runtime/base/futex.h"
#include "runtime/base/thread.h"

/* A disposition is the process's, so this is, too, as in signals.c. */
static struct {
    pthread_mutex_t lock;
    unsigned users;
    struct sigaction before;
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

/* ---- writing ---- */

static void put(void *context, const char *bytes, size_t size)
{
    int fd = *(const int *)context;

    while (size) {
        ssize_t written = write(fd, bytes, size);

        if (written < 0 && errno != EINTR)
            return; /* nobody is left to be told */
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
}

static void write_report(th_system *system)
{
    const char *path = system->options.status_path;
    int fd = system->options.status_fd ? system->options.status_fd : STDERR_FILENO;

    if (path)
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    thi_status_report(system, TH_STATUS_TEXT, TH_STATUS_ALL, put, &fd);
    if (path)
        close(fd);
}

static void *watch(void *context)
{
    th_system *system = context;
    struct thi_status_signal *mine = &system->status_signal;

    for (;;) {
        /* acquire: pairs with the releases in handle() and thi_status_signal_stop() */
        uint32_t change = atomic_load_explicit(&process.change, memory_order_acquire);
        /* relaxed, both: carried by the change */
        uint32_t came = atomic_load_explicit(&process.came, memory_order_relaxed);

        if (atomic_load_explicit(&mine->stop, memory_order_relaxed))
            return NULL;
        if (came != mine->seen) {
            mine->seen = came;
            write_report(system);
        }
        thi_futex_wait(&process.change, change, UINT64_MAX);
    }
}

/* ---- life ---- */

static void take_over(void)
{
    struct sigaction ours = { .sa_handler = handle, .sa_flags = SA_RESTART };

    sigemptyset(&ours.sa_mask);
    sigaction(SIGUSR1, &ours, &process.before);
}

/* Only where the handler is still ours. */
static void put_back(void)
{
    struct sigaction now;

    if (sigaction(SIGUSR1, NULL, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
        now.sa_handler == handle)
        sigaction(SIGUSR1, &process.before, NULL);
}

th_err thi_status_signal_start(th_system *system)
{
    struct thi_status_signal *mine = &system->status_signal;
    th_err err;

    if (!(system->options.signals & TH_SIGNAL_STATUS))
        return TH_OK;
    /* relaxed, both: the thread that will read them is not there yet */
    mine->seen = atomic_load_explicit(&process.came, memory_order_relaxed);
    atomic_store_explicit(&mine->stop, false, memory_order_relaxed);
    err = thi_thread_start(&mine->thread, "th/status", watch, system);
    if (err)
        return err;
    mine->is_started = true;
    pthread_mutex_lock(&process.lock);
    if (process.users++ == 0)
        take_over();
    pthread_mutex_unlock(&process.lock);
    return TH_OK;
}

void thi_status_signal_stop(th_system *system)
{
    struct thi_status_signal *mine = &system->status_signal;

    if (!mine->is_started)
        return;
    mine->is_started = false;
    pthread_mutex_lock(&process.lock);
    if (--process.users == 0)
        put_back();
    pthread_mutex_unlock(&process.lock);
    /* relaxed: the change below carries it */
    atomic_store_explicit(&mine->stop, true, memory_order_relaxed);
    /* release: pairs with the acquire in watch() */
    atomic_fetch_add_explicit(&process.change, 1, memory_order_release);
    thi_futex_wake(&process.change, INT_MAX);
    pthread_join(mine->thread, NULL);
}
