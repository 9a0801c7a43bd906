#include "runtime/sched/poller.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "runtime/base/reclaim.h"
#include "runtime/base/thread.h"

enum { BELL, TIMER, AT_ONCE = 64 };

_Static_assert((int)TIMER < (int)THI_POLL_TOKENS,
               "tokens of our own are below those of what is watched");

/* ---- life ---- */

static void forget(struct thi_poller *poller)
{
    poller->epoll = poller->bell = poller->timer = -1;
    poller->is_open = false;
    poller->timer_ns = UINT64_MAX;
}

static void close_all(struct thi_poller *poller)
{
    if (poller->timer >= 0)
        (void)close(poller->timer);
    if (poller->bell >= 0)
        (void)close(poller->bell);
    if (poller->epoll >= 0)
        (void)close(poller->epoll);
    forget(poller);
}

static bool add_own(struct thi_poller *poller, int fd, uint64_t token)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = token };

    return fd >= 0 && epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

th_err thi_poller_open(struct thi_poller *poller, bool with_timer)
{
    forget(poller);
    /* relaxed: nobody rings yet */
    atomic_store_explicit(&poller->rung, 0, memory_order_relaxed);
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (poller->epoll >= 0)
        poller->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller->bell >= 0 && with_timer)
        poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (!add_own(poller, poller->bell, BELL) ||
        (with_timer && !add_own(poller, poller->timer, TIMER))) {
        close_all(poller);
        return TH_E_THREAD;
    }
    poller->is_open = true;
    return TH_OK;
}

void thi_poller_close(struct thi_poller *poller)
{
    if (poller->is_open)
        close_all(poller);
}

/* ---- what is watched ---- */

static uint32_t to_kernel(uint32_t bits)
{
    return (bits & THI_POLL_READ ? (uint32_t)EPOLLIN : 0) |
           (bits & THI_POLL_WRITE ? (uint32_t)EPOLLOUT : 0) |
           (bits & THI_POLL_EDGE ? (uint32_t)EPOLLET : (uint32_t)EPOLLONESHOT); /* E1 */
}

static uint32_t from_kernel(uint32_t events)
{
    return (events & EPOLLIN ? (uint32_t)THI_POLL_READ : 0) |
           (events & EPOLLOUT ? (uint32_t)THI_POLL_WRITE : 0) |
           (events & EPOLLHUP ? (uint32_t)THI_POLL_HANGUP : 0) |
           (events & EPOLLERR ? (uint32_t)THI_POLL_ERROR : 0);
}

th_err thi_poller_add(struct thi_poller *poller, int fd, uint32_t bits, uint64_t token)
{
    struct epoll_event event = { .events = to_kernel(bits), .data.u64 = token };

    if (epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &event) == 0)
        return TH_OK;
    switch (errno) {
    case EPERM: return TH_E_NOT_POLLABLE;
    case EEXIST: return TH_E_EXISTS;
    case ENOSPC: return TH_E_LIMIT;
    case ENOMEM: return TH_E_NOMEM;
    default: return TH_E_BAD_FD; /* EBADF; EINVAL, ELOOP: an epoll that contains us */
    }
}

bool thi_poller_arm(struct thi_poller *poller, int fd, uint32_t bits, uint64_t token)
{
    struct epoll_event event = { .events = to_kernel(bits), .data.u64 = token };

    return epoll_ctl(poller->epoll, EPOLL_CTL_MOD, fd, &event) == 0;
}

bool thi_poller_has(struct thi_poller *poller, int fd)
{
    struct epoll_event none = { .events = EPOLLONESHOT };

    if (epoll_ctl(poller->epoll, EPOLL_CTL_ADD, fd, &none) == 0) { /* E3: another file's */
        (void)epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, &none);
        return false;
    }
    /* without memory for the question: as if it were there; who uses it finds out */
    return errno == EEXIST || errno == ENOMEM || errno == ENOSPC;
}

void thi_poller_remove(struct thi_poller *poller, int fd)
{
    struct epoll_event none = { 0 };

    (void)epoll_ctl(poller->epoll, EPOLL_CTL_DEL, fd, &none);
}

/* ---- waiting ---- */

static int to_ms(uint64_t timeout_ns)
{
    enum { LONGEST_MS = 1000 * 1000 * 1000 };
    uint64_t ms = timeout_ns / 1000000u + (timeout_ns % 1000000u != 0);

    if (timeout_ns == UINT64_MAX)
        return -1;
    return ms < LONGEST_MS ? (int)ms : LONGEST_MS;
}

static void hush(int fd)
{
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof(count));

    (void)got; /* EAGAIN: it was quiet already */
}

/* The bell is read before its flag is taken back: who rings in between finds it set and writes
 * nothing, and what it rang for was there before, so the look that follows our return sees it. */
static void hush_bell(struct thi_poller *poller)
{
    hush(poller->bell);
    /* acquire: pairs with the release in thi_poller_ring() */
    (void)atomic_exchange_explicit(&poller->rung, 0, memory_order_acquire);
}

unsigned thi_poller_wait(struct thi_poller *poller, struct thi_poll_event *events, unsigned max,
                         uint64_t timeout_ns)
{
    struct epoll_event ready[AT_ONCE];
    unsigned kept = 0;
    int count =
        epoll_wait(poller->epoll, ready, (int)(max < AT_ONCE ? max : AT_ONCE), to_ms(timeout_ns));

    for (int i = 0; i < count; i++) { /* none: time is up, or a signal came (EINTR) */
        if (ready[i].data.u64 == BELL) {
            hush_bell(poller);
        } else if (ready[i].data.u64 == TIMER) {
            hush(poller->timer);
            poller->timer_ns = UINT64_MAX;
        } else {
            events[kept++] =
                (struct thi_poll_event){ ready[i].data.u64, from_kernel(ready[i].events) };
        }
    }
    return kept;
}

void thi_poller_ring(struct thi_poller *poller)
{
    uint64_t one = 1;

    /* release: what the ring is about comes first; pairs with the acquire in hush_bell(). Rung
     * already: who waits has not looked yet, or is just about to. */
    if (atomic_exchange_explicit(&poller->rung, 1, memory_order_release) == 0) {
        ssize_t put = write(poller->bell, &one, sizeof(one));

        (void)put; /* cannot fail: it is at 0, or at 1 */
    }
}

void thi_poller_set_timer(struct thi_poller *poller, uint64_t deadline_ns)
{
    struct itimerspec when = { 0 };

    if (deadline_ns == poller->timer_ns)
        return;
    poller->timer_ns = deadline_ns;
    if (deadline_ns != UINT64_MAX) {
        deadline_ns += deadline_ns == 0; /* 0 would disarm it */
        when.it_value.tv_sec = (time_t)(deadline_ns / 1000000000u);
        when.it_value.tv_nsec = (long)(deadline_ns % 1000000000u);
    }
    (void)timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &when, NULL); /* all of it is ours */
}

/* ---- a thread of its own ---- */

static void *run(void *context)
{
    struct thi_poller *poller = context;

    thi_reclaim_thread_begin();
    /* acquire: pairs with the release in thi_poller_stop() */
    while (!atomic_load_explicit(&poller->stop, memory_order_acquire))
        poller->turn(poller->context);
    thi_reclaim_thread_end();
    return NULL;
}

th_err thi_poller_start(struct thi_poller *poller, void (*turn)(void *context), void *context)
{
    th_err err;

    poller->turn = turn;
    poller->context = context;
    atomic_init(&poller->stop, false);
    err = thi_thread_start(&poller->thread, "thespis/poller", run, poller);
    poller->is_running = !err;
    return err;
}

void thi_poller_stop(struct thi_poller *poller)
{
    if (!poller->is_running)
        return;
    poller->is_running = false;
    /* release: pairs with the acquire in run() */
    atomic_store_explicit(&poller->stop, true, memory_order_release);
    thi_poller_ring(poller);
    (void)pthread_join(poller->thread, NULL); /* cannot fail: it is ours, and joined once */
}
