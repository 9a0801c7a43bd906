/* transport/link/loop.h: the thread that does the input and output, and how it is woken.
 *
 * A libuv loop of our own with four things in it: a bell that any thread rings, one timer that
 * ends a wait, a look around before each wait, and what descriptors others watch (uv_poll_t on
 * `uv`).
 *
 * L1. The bell is an eventfd of ours in a uv_poll_t: uv_async_t of libuv 1.44 takes some ten times
 *     as long to be heard (docs/internals/network.md).
 * L2. Ringing costs a system call only if the loop has not been rung since it last looked.
 * L3. Output is written in the look before the wait: what a whole round of input brought about goes
 *     out in one piece per connection.
 *
 * The loop runs on a thread of its own, or, for tests, in turns on the caller's. */
#ifndef THI_LINK_LOOP_H
#define THI_LINK_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "runtime/base/clock.h"
#include <thespis/error.h>

struct thi_loop_ops {
    /* Somebody rang. */
    void (*rung)(void *context);
    /* Before each wait, and soon after the timer's time has come. True: do not wait, there is more
     * to do. */
    bool (*look)(void *context);
};

struct thi_loop {
    uv_loop_t uv;
    uv_poll_t bell_poll;
    uv_timer_t timer;
    uv_prepare_t prepare;
    uv_idle_t idle; /* runs while the wait must not be one */
    int bell;
    const struct thi_loop_ops *ops;
    void *context;
    struct thi_clock *clock;
    uint64_t timer_ns; /* what the timer is set to; UINT64_MAX: nothing */
    pthread_t thread;
    bool is_running; /* the thread was started, and not joined yet */

    /* written by any thread */
    _Atomic uint32_t rung; /* 1: the bell is readable, or about to be */
};

/* @clock [keep] is what deadlines go by. TH_E_THREAD: no descriptors to be had; TH_E_NOMEM. */
TH_NODISCARD th_err thi_loop_open(struct thi_loop *loop, const struct thi_loop_ops *ops,
                                  void *context, struct thi_clock *clock);

/* Everything that others put into it must have been asked to close before. */
void thi_loop_close(struct thi_loop *loop);

/* A thread that runs it until thi_loop_end(). TH_E_THREAD. */
TH_NODISCARD th_err thi_loop_start(struct thi_loop *loop);
void thi_loop_join(struct thi_loop *loop);

/* Instead of a thread: what is ready now, and if nothing is and @waits, the next thing. */
void thi_loop_turn(struct thi_loop *loop, bool waits);

/* From any thread: rung() will run, and see what the caller did before. */
void thi_loop_ring(struct thi_loop *loop);

/* ---- on the loop ---- */

void thi_loop_set_timer(struct thi_loop *loop, uint64_t when_ns);
/* The thread returns after this round. */
void thi_loop_end(struct thi_loop *loop);

static inline uint64_t thi_loop_now(struct thi_loop *loop)
{
    return thi_clock_steady(loop->clock);
}

#endif
