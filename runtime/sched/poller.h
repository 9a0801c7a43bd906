/* poller.h: descriptors, and who waits for them to become ready.
 *
 * epoll(7), used so that it can neither spin nor mistake one file for another:
 *
 *   E1. Every registration is one-shot or edge-triggered. What nobody handles is therefore reported
 *       once and not again, also when it cannot be taken out any more (below).
 *   E2. epoll knows a registration by number and file together. A number that was closed while a
 *       copy of its file lives on still reports under its old token; and the number may be another
 *       file's by then. So who gets a token asks thi_poller_has() before it believes the number.
 *   E3. Asking is trying to add: a pair that is registered is refused, and nothing changes by it.
 *
 * Adding, arming and removing work from any thread, also while another waits: the kernel sees to
 * that. One thread waits at a time. */
#ifndef THI_SCHED_POLLER_H
#define THI_SCHED_POLLER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <thespis/error.h>

/* What is waited for, and what came. */
enum thi_poll_bits {
    THI_POLL_READ = 1 << 0,
    THI_POLL_WRITE = 1 << 1,
    THI_POLL_HANGUP = 1 << 2, /* these two come unasked */
    THI_POLL_ERROR = 1 << 3,
    THI_POLL_EDGE = 1 << 4 /* with what is waited for: report changes, instead of once */
};

struct thi_poll_event {
    uint64_t token;
    uint32_t bits;
};

struct thi_poller {
    bool is_open; /* the descriptors below are there; constant from open to close */
    int epoll;
    int bell;              /* an eventfd */
    int timer;             /* a timerfd, or -1 */
    uint64_t timer_ns;     /* what it is set to; UINT64_MAX: to nothing. The waiter's */
    _Atomic uint32_t rung; /* 1: the bell is readable, or about to be */

    /* of a thread of its own, where it has one */
    void (*turn)(void *context);
    void *context;
    pthread_t thread;
    bool is_running;
    _Atomic bool stop;
};

/* Tokens of what is watched are at least this. */
enum { THI_POLL_TOKENS = 2 };

/* @with_timer: thi_poller_set_timer() is going to be called. TH_E_THREAD: no descriptors to be had;
 * it is as before. */
TH_NODISCARD th_err thi_poller_open(struct thi_poller *poller, bool with_timer);

/* Nothing to do if it is not open. */
void thi_poller_close(struct thi_poller *poller);

/* Registers @fd under @token; with @bits of 0 it is not waited for. TH_E_BAD_FD, TH_E_NOT_POLLABLE,
 * TH_E_EXISTS, TH_E_LIMIT, TH_E_NOMEM. */
TH_NODISCARD th_err thi_poller_add(struct thi_poller *poller, int fd, uint32_t bits,
                                   uint64_t token);

/* Waits for @bits from now on. False: what was added under that number is not there any more. */
bool thi_poller_arm(struct thi_poller *poller, int fd, uint32_t bits, uint64_t token);

/* Whether what was added under that number is still there. */
bool thi_poller_has(struct thi_poller *poller, int fd);

/* Where it is not there any more there is nothing to do. */
void thi_poller_remove(struct thi_poller *poller, int fd);

/* What is ready, at most @max (some tens) of it; how many. Waits at most @timeout_ns (rounded up to
 * milliseconds; UINT64_MAX: for ever) until something is, somebody rings, or the timer is due. */
unsigned thi_poller_wait(struct thi_poller *poller, struct thi_poll_event *events, unsigned max,
                         uint64_t timeout_ns);

/* From any thread: whoever waits returns, or the next one who does. */
void thi_poller_ring(struct thi_poller *poller);

/* The bell and the timer, the way foreign loops see them: one descriptor, readable when something
 * is ready, somebody rang or @deadline_ns (CLOCK_MONOTONIC) has passed. */
void thi_poller_set_timer(struct thi_poller *poller, uint64_t deadline_ns);

/* A thread that calls @turn again and again, which waits. TH_E_THREAD. */
TH_NODISCARD th_err thi_poller_start(struct thi_poller *poller, void (*turn)(void *context),
                                     void *context);

/* It ends, after the turn it is in. Nothing to do if it never started. */
void thi_poller_stop(struct thi_poller *poller);

#endif
